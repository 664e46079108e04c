"""`taskflow flows show`: all that is known of one flow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import takewhile

from rich.console import RenderableType
from rich.table import Table

from adapters.cli.asks import ShowFlow
from adapters.cli.dependencies import Dependencies, ReadableFlows
from adapters.cli.exits import Exit
from adapters.cli.flow_tables import flow_tables
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
from domain.flow.state import Flow
from domain.history.transitions import Transition, transitions


def show_flow(ask: ShowFlow, tools: Dependencies, terminal: Terminal) -> Exit:
    """Show a flow and its tasks, and its history if that is asked for."""
    with tools.read_store(ask.config, ask.database) as flows:
        flow = flows.load(ask.flow, ask.version)
        if flow is None:
            return _miss(ask, flows, terminal)
        history = None
        if ask.history:
            history = tuple(_steps(flows.history(flow.flow_id), flow.version))
    if ask.json:
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
