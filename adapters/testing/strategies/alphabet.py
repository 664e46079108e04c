"""Objects out of a few values of each type, so that what is drawn meets what was drawn before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import EnumMeta
from typing import Any, Final, Literal, TypeVar, get_args, get_origin, get_type_hints

from attrs import field, frozen
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from adapters.testing.examples import FLOW, OWNER
from adapters.testing.strategies.values import JSON_LIMITS
from domain.flow.commands import CreateFlow, LoseTask, ResumeEarly, ResumeFlow, RunTask
from domain.flow.events import FlowResumeKept
from domain.flow.ids import FlowId, Owner, TaskId
from domain.flow.status import ACTIVE, LIVE, FlowStatus
from domain.flow.values import KEEP, Json, Timestamp

T = TypeVar("T")
PLAIN_JSON: Final = (Json("null"), Json("1"), Json('{"a":[]}'))
IDS: Final = {
    FlowId: (FLOW,),
    Owner: (OWNER,),
    TaskId: tuple(TaskId(f"task-{number}") for number in range(5)),
}
_RESUMED: Final = {"status": (FlowStatus.QUEUED, FlowStatus.RUNNING)}
LEGAL: Final[Mapping[type, Mapping[str, Iterable[object]]]] = {
    CreateFlow: {"status": sorted(LIVE)},
    ResumeFlow: _RESUMED,
    ResumeEarly: _RESUMED,
    FlowResumeKept: _RESUMED,
    RunTask: {"status": sorted(ACTIVE)},
    LoseTask: {"task_events": (None, None, 0, 1)},
}
"""The fields whose type has more values than the edge lets through, or a later decision expects."""


@frozen
class Alphabet:
    """The values of each type, the simplest first.

    PERF: a field is one choice of a list, which halves the time that a command takes to draw.
    """

    texts: tuple[str, ...]
    jsons: tuple[Json, ...]
    moments: tuple[Timestamp, ...]
    sessions: tuple[str | None, ...]
    fixed: Mapping[str, Iterable[object]] = field(factory=dict)

    def of(self, *kinds: type[T], **given: Iterable[object]) -> SearchStrategy[T]:
        """Return objects of some classes; a field has the values of its type, or those given."""
        return st.one_of([self._of(kind, given) for kind in kinds])

    def _of(self, kind: type[T], given: Mapping[str, Iterable[object]]) -> SearchStrategy[T]:
        named = {
            "expected_revision": range(4),
            "child_session_key": self.sessions,
            **self.fixed,
            **LEGAL.get(kind, {}),
            **given,
        }
        hints = get_type_hints(kind)
        values = {name: named.get(name) or self._values(hint) for name, hint in hints.items()}
        fields: dict[str, Any] = {
            name: st.sampled_from(list(choices)) for name, choices in values.items()
        }
        return st.builds(kind, **fields)

    def _values(self, hint: Any) -> Iterable[object]:  # noqa: ANN401 - any annotation
        """Return the values of a type; of a union `KEEP` or None first."""
        if isinstance(hint, EnumMeta):
            return list(hint)
        if get_origin(hint) is Literal:
            return get_args(hint)
        plain = {str: self.texts, int: self.moments, Json: self.jsons, bool: (False, True)}
        of_type: Mapping[Any, Iterable[object]] = {type(None): (None,), **plain, **IDS}
        if hint in of_type:
            return of_type[hint]
        return [value for member in reversed(get_args(hint)) for value in self._values(member)]


WILD: Final = Alphabet(
    texts=("", " ", "a", "b"),
    jsons=PLAIN_JSON,
    moments=tuple(range(51)),
    sessions=(None, "agent:a:b", "agent:a", ""),
)
"""Blank texts too, which the wire does not let through."""
PLAIN: Final = Alphabet(
    texts=("a", "b", "é😀"),
    jsons=(*PLAIN_JSON, *JSON_LIMITS),
    moments=(990, 1000, 1010, 2**53 - 1),
    sessions=(None, "agent:a:b", "agent:ops:x:y", "agent::x", "free text"),
    fixed={
        "separate_approver": (False,),
        "link_hash": (KEEP,),
        "until": (KEEP, None),
        "on_timeout": (None,),
    },
)
"""What the wire lets through; a moment until which a flow waits is always of the future."""
