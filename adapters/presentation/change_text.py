"""What changed, field by field: in words for people, in documents for programs."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from adapters.presentation.documents import JsonDocument, camel_case, event_document
from adapters.presentation.printable import shortened, to_the_millisecond
from domain.flow.values import Json
from domain.history.changes import Change, FieldPath, Value, changes
from domain.history.transitions import Transition

NOTHING: Final = "(nothing)"
_LONGEST: Final = 120
"""How many characters of a value are shown; programs are given all of it."""


def change_line(change: Change) -> str:
    """Return a change as `status: queued -> waiting`, without the task that it may be of."""
    before, after = (value_text(change.field, value) for value in (change.before, change.after))
    return f"{FieldPath(change.field.name)}: {before} -> {after}"


def new_line(change: Change) -> str:
    """Return what a field of something new holds, as `status: queued`."""
    return f"{FieldPath(change.field.name)}: {value_text(change.field, change.after)}"


def value_text(field: FieldPath, value: Value, most: int = _LONGEST) -> str:
    """Return a field's value, printable, and cut where it is long."""
    match value:
        case None:
            return NOTHING
        case Json(text):
            return shortened(text, most)
        case StrEnum():
            return value.value
        case int():
            return to_the_millisecond(value) if is_moment(field.name) else str(value)
        case _:
            return f'"{shortened(value, most)}"'


def is_moment(name: str) -> bool:
    """Return whether a field of a flow or a task holds a moment."""
    return name.endswith(("_at", "_after")) or name == "until"


def change_documents(changed: Iterable[Change]) -> list[JsonDocument]:
    """Return changes for programs; `before` or `after` is missing where there was nothing."""
    return [_document(change) for change in changed]


def history_documents(history: Iterable[Transition]) -> list[JsonDocument]:
    """Return what happened to a flow, by whom, and what each event changed."""
    return [
        {
            **event_document(step.record, step.after),
            "changes": change_documents(changes(step.before, step.after)),
        }
        for step in history
    ]


def place_document(step: Transition) -> JsonDocument:
    """Return where a step is in its history."""
    return {
        "version": step.record.version,
        "revision": step.after.revision,
        "at": step.record.event.at,
    }


def values_document(**held: Value) -> JsonDocument:
    """Return some values under the names that they are given; nothing is left out."""
    return camel_case({name: value for name, value in held.items() if value is not None})


def _document(change: Change) -> JsonDocument:
    values = values_document(before=change.before, after=change.after)
    return {"field": str(change.field), **values}
