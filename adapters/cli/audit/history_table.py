"""The history of a flow as a table: the one that `audit history` and `flows show` print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from adapters.cli.audit.timeline import place_text
from adapters.cli.tables import REST, lines, table
from adapters.presentation.change_text import change_line, new_line
from adapters.presentation.event_text import event_name
from adapters.presentation.printable import printable, to_the_millisecond
from adapters.presentation.provenance_text import by_whom, through_what
from domain.history.changes import Change, changes
from domain.history.transitions import Transition

_EVIDENT: Final = ("version", "revision", "flow_id", "updated_at", "latest_at", "last_heartbeat_at")
"""Fields whose change is plain from the first column or the title."""


def history_table(history: Sequence[Transition]) -> Table:
    """Return each event of a flow, what it changed, and who caused it."""
    title = f"History of flow {printable(history[-1].after.flow_id)}"
    made = table(title, {"When, version, revision": 25, "What changed, by whom": REST})
    for step in history:
        made.add_row(
            lines(to_the_millisecond(step.record.event.at), place_text(step)), _event_cell(step)
        )
    return made


def _event_cell(step: Transition) -> Text:
    record = step.record
    cell = Text(event_name(record.event), style="bold", overflow="fold")
    for line in _changed(step):
        cell.append(f"\n{printable(line)}", style="not bold")
    for line in (by_whom(record.metadata), *through_what(record)):
        cell.append(f"\n{printable(line)}", style="not bold dim")
    return cell


def _changed(step: Transition) -> Iterator[str]:
    changed = [c for c in changes(step.before, step.after) if not _is_evident(c, step)]
    for task_id in dict.fromkeys(change.field.task_id for change in changed):
        if task_id is not None:
            yield f"task {task_id}"
    write = new_line if _is_new(step, changed) else change_line
    yield from map(write, changed)


def _is_evident(change: Change, step: Transition) -> bool:
    name = change.field.name
    is_now = name == "last_event_at" and change.after == step.record.event.at
    return is_now or name in _EVIDENT


def _is_new(step: Transition, changed: Sequence[Change]) -> bool:
    """Say whether a step made what it changed: the flow, or a task."""
    if step.before is None:
        return True
    known = {task.task_id for task in step.before.tasks}
    return any(change.field.task_id not in {None, *known} for change in changed)
