"""What changed, field by field: in words for people, in documents for programs."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from adapters.presentation.documents import Document, camel_case
from adapters.presentation.printable import shortened, to_the_millisecond
from domain.flow.values import Json
from domain.history.changes import Change, FieldPath, Value
from domain.history.transitions import Transition

NOTHING: Final = "(nothing)"
_LONGEST: Final = 120
"""How many characters of a value are shown; programs are given all of it."""


def change_line(change: Change) -> str:
    """Return a change as `status: queued -> waiting`, without the task that it may be of."""
    name = str(FieldPath(change.field.name))
    return f"{name}: {shown(change.field, change.before)} -> {shown(change.field, change.after)}"


def new_line(change: Change) -> str:
    """Return what a field of something new holds, as `status: queued`."""
    return f"{FieldPath(change.field.name)}: {shown(change.field, change.after)}"


def shown(field: FieldPath, value: Value, most: int = _LONGEST) -> str:
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
    """Say whether a field of this name holds a moment."""
    return name.endswith(("_at", "_after"))


def change_documents(changes: Iterable[Change]) -> list[Document]:
    """Return changes for programs; `before` or `after` is missing where there was nothing."""
    return [_document(change) for change in changes]


def place_document(step: Transition) -> Document:
    """Return where a step is in its history."""
    return {
        "version": step.record.version,
        "revision": step.after.revision,
        "at": step.record.event.at,
    }


def values_document(**held: Value) -> Document:
    """Return some values under the names that they are given; nothing is left out."""
    return camel_case({name: value for name, value in held.items() if value is not None})


def _document(change: Change) -> Document:
    values = values_document(before=change.before, after=change.after)
    return {"field": str(change.field), **values}
