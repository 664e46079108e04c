"""The kit's naive model beside the decider: for every step it must come to the same flow."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from attrs import fields

from adapters.testing.model import ModelFlow, ModelRejection, ModelTask, Rules
from domain.flow.commands import CommandContext, CreateFlow, ResumeEarly
from domain.flow.decide import Decision
from domain.flow.refusals import Refusal, RefusalCode
from domain.flow.state import Flow
from domain.flow.task import Task
from domain.flow.values import Json

_RULES: Final = Rules()
_FLOW_FIELDS: Final = {field.name for field in fields(ModelFlow)} - {
    "tasks",
    "event_count",
    "kept_by",
}
_TASK_FIELDS: Final = {field.name for field in fields(ModelTask)}


def agrees(
    before: Flow | None, context: CommandContext, decision: Decision, after: Flow | None
) -> bool:
    """Say whether the model comes to the same flow, or refuses in the same words."""
    taken = isinstance(decision, Refusal) and decision.code is RefusalCode.CORRELATION_KEY_TAKEN
    if before is not None and isinstance(context.command, CreateFlow) and not taken:
        # The model creates flows out of nothing only; the core is asked more than that.
        if isinstance(_RULES.rule(model_of(before), context)[0], ModelRejection):
            return False
        return isinstance(decision, Refusal) and decision.code is RefusalCode.CREATE_REJECTED
    verdict, _task_id = _RULES.rule(model_of(before), context)
    if isinstance(decision, Refusal):
        return verdict == ModelRejection(decision.code, decision.reason)
    return verdict == model_of(after)


@lru_cache(maxsize=4)
def model_of(flow: Flow | None) -> ModelFlow | None:
    """Return a flow as the model holds it."""
    if flow is None:
        return None
    held: dict[str, Any] = {name: _plain(getattr(flow, name)) for name in _FLOW_FIELDS}
    if (kept := flow.kept_resume) is not None:
        held["kept_by"] = kept.caller
        held["kept_resume"] = ResumeEarly(
            flow_id=flow.flow_id,
            expected_revision=0,
            status=kept.status,
            current_step=kept.current_step,
            state_json=kept.state_json,
        )
    return ModelFlow(**held, event_count=flow.version, tasks=tuple(map(_task_of, flow.tasks)))


def _task_of(task: Task) -> ModelTask:
    held: dict[str, Any] = {name: getattr(task, name) for name in _TASK_FIELDS}
    return ModelTask(**held)


def _plain(value: object) -> object:
    return value.text if isinstance(value, Json) else value
