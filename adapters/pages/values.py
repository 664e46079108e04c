"""What a field holds, made ready to be shown: in short where it changes, else as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import groupby
from typing import Final, Literal, TypeAlias, assert_never

from attrs import frozen

from adapters.pages.json_text import laid_out
from adapters.presentation.change_text import is_moment
from adapters.presentation.printable import printable, to_the_millisecond
from domain.flow.ids import TaskId
from domain.flow.task import find_task
from domain.flow.values import Json
from domain.history.changes import Change, FieldPath, Value, changes
from domain.history.published import public_name
from domain.history.transitions import Transition

BRIEF: Final = 240
"""Characters of a value where a change is shown."""

WHOLE: Final = 100_000
"""Characters of a value where a state is shown."""

ValueKind: TypeAlias = Literal["nothing", "word", "number", "moment", "text", "json"]

_SELF_EVIDENT: Final = frozenset(map(FieldPath, ("flow_id", "version", "latest_at")))


@frozen
class ShownValue:
    """The text of a value, printable, and how many of its characters were left out."""

    kind: ValueKind
    text: str
    left_out: int = 0


@frozen
class ShownChange:
    """A field, and what it held before and after an event."""

    field: str
    before: ShownValue
    after: ShownValue


@frozen(kw_only=True)
class ShownChanges:
    """What an event changed of a flow, or of one of its tasks, which it may have created."""

    task_id: TaskId | None
    is_new: bool
    fields: Sequence[ShownChange]


def shown_changes(transition: Transition) -> Iterator[ShownChanges]:
    """Return what a transition changed, in short, the flow first.

    Every event moves the version and the moment of the latest one, which its head line says.
    """
    before = transition.before
    found = (c for c in changes(before, transition.after) if c.field not in _SELF_EVIDENT)
    for task_id, group in groupby(found, lambda change: change.field.task_id):
        was_there = before and (task_id is None or find_task(before.tasks, task_id))
        yield ShownChanges(
            task_id=task_id,
            is_new=not was_there,
            fields=tuple(_shown_change(change) for change in group),
        )


def _shown_change(change: Change) -> ShownChange:
    name = change.field.name
    return ShownChange(public_name(name), brief(name, change.before), brief(name, change.after))


def brief(name: str, value: Value) -> ShownValue:
    """Return what a field holds, in short."""
    match value:
        case Json(text):
            return _cut("json", printable(text[:BRIEF]), BRIEF, beyond=len(text) - BRIEF)
        case str() if not isinstance(value, StrEnum):
            return _cut("text", printable(value[:BRIEF]), BRIEF, beyond=len(value) - BRIEF)
        case _:
            return whole(name, value)


def whole(name: str, value: Value) -> ShownValue:
    """Return what a field holds, as much of it as a page may hold."""
    match value:
        case None:
            return ShownValue("nothing", "none")
        case Json(text):
            return _cut("json", laid_out(text[:WHOLE]), WHOLE, beyond=len(text) - WHOLE)
        case StrEnum():
            return ShownValue("word", value.value)
        case str():
            return _cut("text", printable(value[:WHOLE]), WHOLE, beyond=len(value) - WHOLE)
        case int() if is_moment(name):
            return ShownValue("moment", to_the_millisecond(value))
        case int():
            return ShownValue("number", f"{value}")
        case _:
            assert_never(value)


def _cut(kind: ValueKind, text: str, most: int, *, beyond: int) -> ShownValue:
    return ShownValue(kind, text[:most], max(0, len(text) - most) + max(0, beyond))
