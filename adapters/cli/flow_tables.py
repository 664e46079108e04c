"""A flow as people see it: all that is known of it, and of its tasks."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from adapters.cli.tables import REST, details, lines, status_cell, table
from adapters.presentation.printable import pretty_json, to_the_millisecond, to_the_second
from domain.flow.state import Flow
from domain.flow.task import Task, newest_first
from domain.flow.values import Json, Timestamp


def flow_tables(flow: Flow) -> Iterator[RenderableType]:
    """Return what is known of a flow, and a table of its tasks if it has any."""
    yield details(f"Flow {flow.flow_id}", _rows(flow))
    if flow.tasks:
        yield _tasks(flow)


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
        ("Waits until", _moment(flow.until)),
        ("Then", flow.on_timeout),
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
    shown = table(
        "Tasks, newest first", {"Task, text, news": REST, "Status": 16, "Last report": 20}
    )
    for task in newest_first(flow.tasks):
        shown.add_row(
            lines(task.task_id, task.task, *_news(task)),
            status_cell(task.status, task.runtime),
            lines(to_the_second(task.last_event_at), *_agent(task)),
        )
    return shown


def _agent(task: Task) -> tuple[str, ...]:
    return () if task.agent_id is None else (f"agent {task.agent_id}",)


def _news(task: Task) -> tuple[str, ...]:
    news = task.error or task.terminal_summary or task.progress_summary
    return () if news is None else (f"> {news}",)
