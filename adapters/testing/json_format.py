"""Commands and events as short JSON, to be pasted, kept and read again.

A command is `{"set_waiting": {"flow_id": "flow-1", "expected_revision": 0}}`, an event the same
with its permanent name. Fields that hold their default are left out; a JSON value stands as its
text, so that it comes back to the byte.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import (
    Any,
    Final,
    NewType,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from adapters.testing.differences import given_fields
from domain.flow import events as e
from domain.flow.commands import COMMANDS, Command
from domain.flow.events import Event
from domain.flow.values import Json, Keep

JsonObject: TypeAlias = dict[str, Any]
T = TypeVar("T")


class Unreadable(ValueError):  # noqa: N818 - reads as what is said of the text
    """A text that is not in this format."""


def _action(command: type[Command]) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", command.__name__).lower()


ACTIONS: Final[Mapping[str, type[Command]]] = {_action(each): each for each in COMMANDS}

EVENT_NAMES: Final[Mapping[str, type[Event]]] = {
    "taskflow.flow_created.v1": e.FlowCreated,
    "taskflow.flow_began_waiting.v1": e.FlowBeganWaiting,
    "taskflow.flow_became_blocked.v1": e.FlowBecameBlocked,
    "taskflow.flow_resumed.v1": e.FlowResumed,
    "taskflow.flow_resume_kept.v1": e.FlowResumeKept,
    "taskflow.flow_resumed_by_link.v1": e.FlowResumedByLink,
    "taskflow.flow_wait_expired.v1": e.FlowWaitExpired,
    "taskflow.flow_succeeded.v1": e.FlowSucceeded,
    "taskflow.flow_failed.v1": e.FlowFailed,
    "taskflow.flow_cancel_requested.v1": e.FlowCancelRequested,
    "taskflow.flow_cancelled.v1": e.FlowCancelled,
    "taskflow.task_linked.v1": e.TaskLinked,
    "taskflow.task_described.v1": e.TaskDescribed,
    "taskflow.task_started.v1": e.TaskStarted,
    "taskflow.task_progressed.v1": e.TaskProgressed,
    "taskflow.task_ended.v1": e.TaskEnded,
}
"""The permanent names of events. They are those of the store, and stand here again on purpose."""
_NAME_OF: Final = {event: name for name, event in EVENT_NAMES.items()}


def dump_command(command: Command) -> JsonObject:
    """Return a command as JSON."""
    return {_action(type(command)): _members(command)}


def load_command(document: object) -> Command:
    """Return the command of a JSON object; raises Unreadable."""
    return _read(document, ACTIONS)


def dump_event(event: Event) -> JsonObject:
    """Return an event as JSON, with its permanent name."""
    return {_NAME_OF[type(event)]: _members(event)}


def load_event(document: object) -> Event:
    """Return the event of a JSON object; raises Unreadable."""
    return _read(document, EVENT_NAMES)


def _members(value: Any) -> JsonObject:  # noqa: ANN401 - any attrs class
    return {name: _plain(held) for name, held in given_fields(value)}


def _plain(value: object) -> object:
    if isinstance(value, Json):
        return value.text
    return value.value if isinstance(value, Enum) else value


def _read(document: object, kinds: Mapping[str, type[T]]) -> T:
    match document:
        case dict() if len(document) == 1:
            ((word, given),) = document.items()
        case _:
            raise Unreadable(f"expected an object with one member, found {document!r}")
    kind = kinds.get(word)
    if kind is None or not isinstance(given, dict):
        raise Unreadable(f"{word}: expected one of {', '.join(kinds)}, and an object")
    types_of = _TYPES[kind]
    unknown = given.keys() - types_of.keys()
    if unknown:
        raise Unreadable(f"{word}: has no {', '.join(sorted(unknown))}")
    try:
        return kind(**{name: _held(value, types_of[name]) for name, value in given.items()})
    except (TypeError, ValueError) as error:
        raise Unreadable(f"{word}: {error}") from error


def _leaves(hint: Any) -> Iterable[type]:  # noqa: ANN401 - any annotation
    if get_origin(hint) in (Union, types.UnionType):
        return [leaf for member in get_args(hint) for leaf in _leaves(member)]
    if isinstance(hint, NewType):
        return _leaves(hint.__supertype__)
    return [hint] if isinstance(hint, type) else []


def _held(value: object, kinds: tuple[type, ...]) -> object:
    if value is None and type(None) in kinds:
        return None
    if Json in kinds and isinstance(value, str):
        return Json(value)
    for kind in kinds:
        if issubclass(kind, Enum) and kind is not Keep:
            return kind(value)
    if type(value) not in kinds:
        raise TypeError(f"a field cannot hold {value!r}")
    return value


_TYPES: Final[Mapping[Any, Mapping[str, tuple[type, ...]]]] = {
    kind: {name: tuple(_leaves(hint)) for name, hint in get_type_hints(kind).items()}
    for kind in (*COMMANDS, *e.EVENTS)
}
"""The plain types that each field may hold."""
