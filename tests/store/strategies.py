"""Values of any shape that the types of the core allow, made from the types themselves."""

from __future__ import annotations

import json
import types
from collections.abc import Callable
from enum import Enum
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from attrs import has
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from domain.flow.events import EVENTS, Event
from domain.flow.values import Json

T = TypeVar("T")

TEXTS: Final = st.one_of(
    st.text(max_size=20), st.sampled_from(["", "keep", "null", "\0", "😀é\u2028"])
)
MOMENTS: Final = st.integers(min_value=0, max_value=2**53 - 1)
JSON_TEXTS: Final = st.one_of(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=8,
    ).map(lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False)),
    st.sampled_from(
        [
            "null",
            '"keep"',
            '{"b":1,"a":2,"10":3,"9":4}',
            "1" + "0" * 999,
            "[" * 100 + "]" * 100,
            json.dumps("x" * 200_000),
        ]
    ),
)
_LEAVES: Final[dict[object, SearchStrategy[Any]]] = {
    str: TEXTS,
    int: MOMENTS,
    bool: st.booleans(),
    Json: JSON_TEXTS.map(Json),
    types.NoneType: st.none(),
}


def instances(cls: Callable[..., T], **given: SearchStrategy[Any]) -> SearchStrategy[T]:
    """Return any values of an attrs class; some of its fields may be given."""
    drawn = {name: _of(hint) for name, hint in get_type_hints(cls).items() if name not in given}
    return st.builds(cls, **drawn, **given)


def _of(hint: Any) -> SearchStrategy[Any]:  # noqa: ANN401 - any annotation
    hint = getattr(hint, "__supertype__", hint)
    if hint in _LEAVES:
        return _LEAVES[hint]
    inner = get_args(hint)
    if get_origin(hint) in (Union, types.UnionType):
        return st.one_of([_of(member) for member in inner])
    if get_origin(hint) is Literal:
        return st.sampled_from(inner)
    if get_origin(hint) is tuple:
        return st.lists(_of(inner[0]), max_size=3).map(tuple)
    if has(hint):
        return instances(hint)
    assert issubclass(hint, Enum), f"no strategy for {hint}"
    return st.sampled_from(hint)


def events() -> SearchStrategy[Event]:
    """Return events of every class."""
    return st.one_of([instances(event) for event in EVENTS])
