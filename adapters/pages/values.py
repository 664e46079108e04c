"""What a field holds, made ready to be shown: in short where it changes, else as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import groupby
from typing import Final, Literal, TypeAlias, assert_never

from attrs import frozen

from adapters.pages.json_text import laid_out
from adapters.presentation.printable import printable, to_the_millisecond
from domain.flow.ids import TaskId
from domain.flow.task import find_task
from domain.flow.values import Json
from domain.history.changes import Change, FieldPath, Value, changes
from domain.history.published import public_name
from domain.history.transitions import Transition

BRIEF: Final = 240
"""Characters of a value where a change is told."""

WHOLE: Final = 100_000
"""Characters of a value where a state is shown."""

Kind: TypeAlias = Literal["nothing", "word", "number", "moment", "text", "json"]

_SELF_EVIDENT: Final = frozenset(map(FieldPath, ("flow_id", "version", "latest_at")))

_MOMENTS: Final = frozenset(
    """
    created_at updated_at latest_at cancel_requested_at ended_at last_event_at last_heartbeat_at
    started_at cleanup_after
    """.split()  # noqa: SIM905 - names read better as text
)


@frozen
class Shown:
    """The text of a value, printable, and how many of its characters were left out."""

    kind: Kind
    text: str
    left_out: int = 0


@frozen
class ShownChange:
    """A field, and what it held before and after an event."""

    field: str
    before: Shown
    after: Shown


@frozen(kw_only=True)
class ShownChanges:
    """What an event changed of a flow, or of one of its tasks, which it may have brought about."""

    task_id: TaskId | None
    is_new: bool
    fields: Sequence[ShownChange]


def shown_changes(step: Transition) -> Iterator[ShownChanges]:
    """Return what a step changed, told in short, the flow first; what goes without saying is not.

    Every event moves the version and the moment of the latest one, which its head line says.
    """
    told = (c for c in changes(step.before, step.after) if c.field not in _SELF_EVIDENT)
    for task_id, group in groupby(told, lambda change: change.field.task_id):
        before = step.before
        was_there = before and (task_id is None or find_task(before.tasks, task_id))
        yield ShownChanges(
            task_id=task_id,
            is_new=not was_there,
            fields=tuple(_shown_change(change) for change in group),
        )


def _shown_change(change: Change) -> ShownChange:
    name = change.field.name
    return ShownChange(public_name(name), brief(name, change.before), brief(name, change.after))


def brief(name: str, value: Value) -> Shown:
    """Return what a field holds, told in short."""
    match value:
        case Json(text):
            return _cut("json", printable(text[:BRIEF]), BRIEF, beyond=len(text) - BRIEF)
        case str() if not isinstance(value, StrEnum):
            return _cut("text", printable(value[:BRIEF]), BRIEF, beyond=len(value) - BRIEF)
        case _:
            return whole(name, value)


def whole(name: str, value: Value) -> Shown:
    """Return what a field holds, as much of it as a page may hold."""
    match value:
        case None:
            return Shown("nothing", "none")
        case Json(text):
            return _cut("json", laid_out(text[:WHOLE]), WHOLE, beyond=len(text) - WHOLE)
        case StrEnum():
            return Shown("word", value.value)
        case str():
            return _cut("text", printable(value[:WHOLE]), WHOLE, beyond=len(value) - WHOLE)
        case int() if name in _MOMENTS:
            return Shown("moment", to_the_millisecond(value))
        case int():
            return Shown("number", f"{value}")
        case _:
            assert_never(value)


def _cut(kind: Kind, text: str, most: int, *, beyond: int) -> Shown:
    return Shown(kind, text[:most], max(0, len(text) - most) + max(0, beyond))
