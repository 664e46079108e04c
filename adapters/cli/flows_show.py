"""`taskflow flows show`: all that is known of one flow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import takewhile

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from adapters.cli.asks import ShowFlow
from adapters.cli.documents import Document, flow_document, history_documents, task_documents
from adapters.cli.exits import Exit
from adapters.cli.happenings import told
from adapters.cli.printable import pretty_json, to_the_millisecond, to_the_second
from adapters.cli.tables import REST, details, folded, lines, standing, table
from adapters.cli.terminal import Terminal
from adapters.cli.tools import ReadableFlows, Tools
from domain.audit.history import Step, steps
from domain.flow import Flow
from domain.records import Metadata, Record
from domain.task import Task
from domain.values import Json, Timestamp


def show_flow(ask: ShowFlow, tools: Tools, terminal: Terminal) -> Exit:
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


def _steps(history: Iterable[Record], until: int) -> Iterator[Step]:
    return steps(takewhile(lambda record: record.version <= until, history))


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


def _document(flow: Flow, history: Iterable[Step] | None) -> Document:
    document: Document = {"flow": flow_document(flow), "tasks": task_documents(flow)}
    return document if history is None else {**document, "history": history_documents(history)}


def _tables(flow: Flow, history: Iterable[Step] | None) -> Iterator[RenderableType]:
    yield details(f"Flow {flow.flow_id}", _rows(flow))
    if flow.tasks:
        yield _tasks(flow)
    if history is not None:
        yield _history(history)


def _rows(flow: Flow) -> Iterator[tuple[str, str | Text]]:
    rows = (
        ("Owner", flow.owner),
        ("Controller", flow.controller_id),
        ("Goal", flow.goal),
        ("Status", flow.status),
        ("Revision", str(flow.revision)),
        ("Version", str(flow.version)),
        ("Step", flow.current_step),
        ("Blocked by task", flow.blocked_task_id),
        ("Blocked because", flow.blocked_summary),
        ("State", _json(flow.state_json)),
        ("Wait data", _json(flow.wait_json)),
        ("Notify", flow.notify_policy),
        ("Created", to_the_millisecond(flow.created_at)),
        ("Updated", to_the_millisecond(flow.updated_at)),
        ("Cancel requested", _moment(flow.cancel_requested_at)),
        ("Ended", _moment(flow.ended_at)),
    )
    return ((name, value) for name, value in rows if value is not None)


def _json(value: Json | None) -> Text | None:
    return None if value is None else Text(pretty_json(value.text), overflow="fold")


def _moment(at: Timestamp | None) -> str | None:
    return None if at is None else to_the_millisecond(at)


def _tasks(flow: Flow) -> Table:
    shown = table("Tasks, newest first", {"Task, text, news": REST, "Status": 16, "Heard": 20})
    for task in reversed(flow.tasks):
        shown.add_row(
            lines(task.task_id, task.task, *_news(task)),
            standing(task.status, task.runtime),
            lines(to_the_second(task.last_event_at), f"agent {task.agent_id}"),
        )
    return shown


def _news(task: Task) -> tuple[str, ...]:
    news = task.error or task.terminal_summary or task.progress_summary
    return () if news is None else (f"> {news}",)


def _history(history: Iterable[Step]) -> Table:
    shown = table("History", {"When, version, revision": 28, "What, by whom, through what": REST})
    for step in history:
        record = step.record
        numbers = f"version {record.version}, revision {step.after.revision}"
        through = f"request {record.metadata.request_id}"
        shown.add_row(
            lines(to_the_millisecond(record.event.at), numbers),
            folded(told(record.event), _actor(record.metadata), through),
        )
    return shown


def _actor(metadata: Metadata) -> str:
    actor = metadata.actor
    key = "" if actor.key_id is None else f", key {actor.key_id}"
    address = "" if metadata.remote_address is None else f", from {metadata.remote_address}"
    return f"by {actor.kind} {actor.name}{key}{address}"
