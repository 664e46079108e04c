"""The kit's naive model beside the decider: for every step it must come to the same flow."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from attrs import fields

from adapters.testing.model import Child, Life, No, Rules
from domain.flow.commands import CommandContext, CreateFlow
from domain.flow.decide import Decision
from domain.flow.refusals import Refusal, RefusalCode
from domain.flow.state import Flow
from domain.flow.task import Task
from domain.flow.values import Json

_RULES: Final = Rules()
_OTHERWISE: Final = {"children", "happened"}
_LIFE: Final = tuple(field.name for field in fields(Life) if field.name not in _OTHERWISE)
_CHILD: Final = tuple(field.name for field in fields(Child))


def agrees(
    before: Flow | None, issued: CommandContext, decision: Decision, after: Flow | None
) -> bool:
    """Say whether the model comes to the same flow, or refuses in the same words."""
    if before is not None and isinstance(issued.command, CreateFlow):
        # The model creates flows out of nothing only; the core is asked more than that.
        return isinstance(decision, Refusal) and decision.code is RefusalCode.CREATE_REJECTED
    verdict, _task_id = _RULES.rule(life_of(before), issued)
    if isinstance(decision, Refusal):
        return verdict == No(decision.code, decision.reason)
    return verdict == life_of(after)


@lru_cache(maxsize=4)
def life_of(flow: Flow | None) -> Life | None:
    """Return a flow as the model holds it."""
    if flow is None:
        return None
    held: dict[str, Any] = {name: _plain(getattr(flow, name)) for name in _LIFE}
    return Life(**held, happened=flow.version, children=tuple(map(_child_of, flow.tasks)))


def _child_of(task: Task) -> Child:
    held: dict[str, Any] = {name: getattr(task, name) for name in _CHILD}
    return Child(**held)


def _plain(value: object) -> object:
    return value.text if isinstance(value, Json) else value
