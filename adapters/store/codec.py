"""The store's dialect: events, metadata and snapshots as plain JSON objects, and back.

Field names are those of the classes (snake_case). A field that holds its default is left out; the
defaults are `None` and `KEEP` only, and never change. JSON values of callers stand as text, so
that they come back to the byte. Reading is strict: a wrong type or an unknown field is a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import UnionType
from typing import Any, Final, TypeAlias, TypeVar, Union, get_args, get_origin

from attrs import has
from cattrs import Converter
from cattrs.fns import identity
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from domain.application.recorded_events import ActorKind
from domain.flow.status import (
    FlowStatus,
    NotifyPolicy,
    OnTimeout,
    Runtime,
    TaskStatus,
    TerminalOutcome,
)
from domain.flow.task import Task
from domain.flow.values import Json, Keep

StoredFields: TypeAlias = dict[str, Any]
T = TypeVar("T")

_STORED_NAMES: Final[Mapping[type, StoredFields]] = {
    Task: {"last_heartbeat_at": override(rename="heard_at")}
}
"""Fields that had another name when they were stored first, by their class."""


class Undecodable(Exception):  # noqa: N818 - reads as what is said of a stored event
    """Stored bytes that are not what we wrote."""


def _exactly(kind: type[T]) -> Callable[[Any, Any], T]:
    def check(value: Any, _: Any) -> T:  # noqa: ANN401 - stored data is untyped until it is checked
        if type(value) is not kind:
            raise Undecodable(f"expected {kind.__name__}, found {type(value).__name__}")
        return value

    return check


def _member(kind: type[StrEnum]) -> Callable[[Any, Any], StrEnum]:
    # NOTE: without a hook of its own a StrEnum is taken for the str that it also is.
    members = {member.value: member for member in kind}

    def find(value: Any, _: Any) -> StrEnum:  # noqa: ANN401 - stored data is untyped until checked
        if type(value) is not str or value not in members:
            raise Undecodable(f"expected a {kind.__name__}, found {value!r}")
        return members[value]

    return find


def _is_union(annotation: Any) -> bool:  # noqa: ANN401 - any annotation
    return get_origin(annotation) in (Union, UnionType)


def _kind_of(annotation: Any) -> tuple[Any, bool]:  # noqa: ANN401 - any annotation
    """Return the kind of a value that may be null, left out or both, and whether it may be null."""
    members = [m for m in get_args(annotation) if Keep.KEEP not in get_args(m)]
    (kind,) = (m for m in members if m is not type(None))
    return kind, type(None) in members


def _union_hook(annotation: Any) -> Callable[[Any, Any], Any]:  # noqa: ANN401 - any annotation
    # PERF: the library's own hook looks up for each value what reads its kind.
    kind, nullable = _kind_of(annotation)
    inner = _CONVERTER.get_structure_hook(kind)

    def read(value: Any, _: Any) -> Any:  # noqa: ANN401 - the two ends of a union
        return None if nullable and value is None else inner(value, kind)

    return read


def _written_union_hook(annotation: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - any annotation
    inner = _CONVERTER.get_unstructure_hook(_kind_of(annotation)[0])
    if inner is identity:
        return inner
    return lambda value: None if value is None else inner(value)  # KEEP is a default, and left out


def _is_tuple(annotation: Any) -> bool:  # noqa: ANN401 - any annotation
    return get_origin(annotation) is tuple


def _tuple_hook(annotation: Any) -> Callable[[Any, Any], Any]:  # noqa: ANN401 - any annotation
    # NOTE: without a hook of its own a tuple is read from anything that can be iterated over.
    kind = get_args(annotation)[0]
    inner = _CONVERTER.get_structure_hook(kind)
    array = _exactly(list)
    return lambda value, _: tuple(inner(item, kind) for item in array(value, list))


def _converter() -> Converter:
    converter = Converter(detailed_validation=False, forbid_extra_keys=True, omit_if_default=True)
    for kind in (str, int, bool):
        converter.register_structure_hook(kind, _exactly(kind))
    enums = (FlowStatus, TaskStatus, Runtime, NotifyPolicy, TerminalOutcome, OnTimeout, ActorKind)
    for enum in enums:
        converter.register_structure_hook(enum, _member(enum))
    text = _exactly(str)
    converter.register_structure_hook(Json, lambda value, _: Json(text(value, str)))
    converter.register_unstructure_hook(Json, lambda value: value.text)
    converter.register_structure_hook_factory(_is_union, _union_hook)
    converter.register_unstructure_hook_factory(_is_union, _written_union_hook)
    converter.register_structure_hook_factory(_is_tuple, _tuple_hook)
    converter.register_structure_hook_factory(
        has,
        lambda cls: make_dict_structure_fn(
            cls,
            converter,
            _cattrs_forbid_extra_keys=True,
            _cattrs_detailed_validation=False,
            **_STORED_NAMES.get(cls, {}),
        ),
    )
    converter.register_unstructure_hook_factory(
        has,
        lambda cls: make_dict_unstructure_fn(
            cls, converter, _cattrs_omit_if_default=True, **_STORED_NAMES.get(cls, {})
        ),
    )
    return converter


_CONVERTER: Final = _converter()


def to_fields(value: object) -> StoredFields:
    """Return the JSON object of an event, metadata, or a flow."""
    fields: StoredFields = _CONVERTER.unstructure(value)
    return fields


def from_fields(fields: StoredFields, cls: type[T]) -> T:
    """Return the value of a class that a JSON object stands for.

    Raises:
        Undecodable: if the object is not one that `to_fields` makes of the class.
    """
    try:
        return _CONVERTER.structure(fields, cls)
    except Undecodable:
        raise
    except Exception as error:
        raise Undecodable(f"no {cls.__name__}: {error}") from error
