"""`taskflow flows show`: all that is known of one flow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Final

from attrs import frozen
from rich.console import RenderableType
from rich.table import Table

from adapters.cli.command import StoreCommand
from adapters.cli.dependencies import Dependencies, ReadableFlows
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.flow_tables import flow_tables
from adapters.cli.help_text import STORE_TROUBLE, HelpPage
from adapters.cli.options import (
    flag,
    flow_argument,
    json_flag,
    option,
)
from adapters.cli.parser import positive_number
from adapters.cli.tables import REST, folded, lines, table
from adapters.cli.terminal import Terminal
from adapters.presentation.documents import (
    Document,
    flow_document,
    history_documents,
    task_documents,
)
from adapters.presentation.event_text import event_summary
from adapters.presentation.printable import to_the_millisecond
from adapters.presentation.provenance_text import by_whom
from domain.application.recorded_events import RecordedEvent
from domain.flow.ids import FlowId
from domain.flow.state import Flow
from domain.history.transitions import Transition, transitions

PAGE: Final = HelpPage(
    name="show",
    help="show one flow with its tasks, and its history",
    description="""\
Shows all that is known of a flow and its child tasks, its owner included. Safe
beside a running gateway: the store is opened read-only. With --history also
each event: its version, the revision after it, when, what, and by whom.""",
    examples="""\
  taskflow flows show 2f1d7b6e-5d6f-4b6f-8a43-0d6d2a9c1f00 \\
      --config gateway.json5 --history
  taskflow flows show 2f1d7b6e-5d6f-4b6f-8a43-0d6d2a9c1f00 \\
      --config gateway.json5 --version 3 --json""",
    codes=exit_codes(
        done="shown",
        findings="there is no such flow, or it has no such version",
        trouble=STORE_TROUBLE,
    ),
)


@frozen(kw_only=True)
class ShowFlow(StoreCommand):
    """Show one flow, as it is or as of a version."""

    page = PAGE

    flow: FlowId = flow_argument()
    history: bool = flag("show what `taskflow audit history` shows of it as well")
    version: int | None = option("N", "show it as it was after its Nth event", read=positive_number)
    json: bool = json_flag()

    def run(self, given: Dependencies, terminal: Terminal) -> Exit:
        """Show a flow and its tasks, and its history if that is asked for."""
        with given.read_store(self.config, self.database) as flows:
            flow = flows.load(self.flow, self.version)
            if flow is None:
                return _miss(self, flows, terminal)
            history = None
            if self.history:
                history = tuple(_steps(flows.history(flow.flow_id), flow.version))
        if self.json:
            terminal.dump(_document(flow, history))
        else:
            terminal.show(*_tables(flow, history))
        return Exit.DONE


def _steps(history: Iterable[RecordedEvent], until: int) -> Iterator[Transition]:
    return transitions(takewhile(lambda record: record.version <= until, history))


def _miss(ask: ShowFlow, flows: ReadableFlows, terminal: Terminal) -> Exit:
    if ask.json:
        terminal.dump({"flow": None, "tasks": []})
    current = None if ask.version is None else flows.load(ask.flow)
    if current is None:
        terminal.complain(f"there is no flow {ask.flow}")
    else:
        newest = f"its newest is version {current.version}"
        terminal.complain(f"flow {ask.flow} has no version {ask.version}; {newest}")
    return Exit.FINDINGS


def _document(flow: Flow, history: Iterable[Transition] | None) -> Document:
    document: Document = {"flow": flow_document(flow), "tasks": task_documents(flow)}
    return document if history is None else {**document, "history": history_documents(history)}


def _tables(flow: Flow, history: Iterable[Transition] | None) -> Iterator[RenderableType]:
    yield from flow_tables(flow)
    if history is not None:
        yield _history(history)


def _history(history: Iterable[Transition]) -> Table:
    shown = table("History", {"When, version, revision": 28, "What, by whom, through what": REST})
    for step in history:
        record = step.record
        numbers = f"version {record.version}, revision {step.after.revision}"
        through = f"request {record.metadata.request_id}"
        shown.add_row(
            lines(to_the_millisecond(record.event.at), numbers),
            folded(event_summary(record.event), by_whom(record.metadata), through),
        )
    return shown
