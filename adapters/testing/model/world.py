"""The whole model: flows of all owners, listings, and idempotent results."""

from __future__ import annotations

from typing import Final

from attrs import define, field, frozen

from adapters.testing.answers import ACCEPTED, Answer, PlainView
from adapters.testing.model.records import ModelFlow, ModelRejection
from adapters.testing.model.rules import Rules
from domain.flow.commands import (
    CancelFlow,
    Command,
    CommandContext,
    CreateFlow,
    LoseTask,
    UpdateTask,
)
from domain.flow.ids import CallerId, FlowId, Owner, TaskId

REUSED: Final = Answer(
    "idempotency_key_reused", "The idempotency key was used for another request."
)


@frozen
class IdempotentResult:
    """An accepted command and its result, which a repeated idempotency key is answered with."""

    command: Command
    flow: ModelFlow
    task_id: TaskId | None


@frozen
class Prediction:
    """The expected answer to a command, and its effect if it has one (a kept key is one)."""

    answer: Answer
    change: IdempotentResult | None = None


def predict(
    rules: Rules,
    flow: ModelFlow | None,
    context: CommandContext,
    past: IdempotentResult | None,
    *,
    keyed: bool,
) -> Prediction:
    """Return what a command leads to; `past` is the result that its key stands for."""
    command = context.command
    if past is not None:
        same = past.command == command
        return Prediction(_accepted(past.flow, command, past.task_id) if same else REUSED)
    verdict, task_id = rules.rule(flow, context)
    if isinstance(verdict, ModelRejection):
        return Prediction(_rejected(verdict, flow, command, task_id))
    answer = _accepted(verdict, command, task_id)
    changes = keyed or verdict != flow
    return Prediction(answer, IdempotentResult(command, verdict, task_id) if changes else None)


@define
class Model:
    """Flows by their names: `flow-1` and so on in the order of their creation.

    Names are the model's own: tasks are `task-1`, `task-2` and so on over all flows.
    """

    rules: Rules = field(factory=Rules)
    flows: dict[FlowId, ModelFlow] = field(factory=dict)
    _results: dict[tuple[str, str], IdempotentResult] = field(factory=dict)

    def predict(self, owner: Owner, command: Command, *, key: str | None, at: int) -> Prediction:
        """Return what a command of an owner leads to, and change nothing."""
        flow = self._decided_on(owner, command)
        past = None if key is None else self._results.get((owner, key))
        context = CommandContext(
            command=command,
            owner=owner,
            at=at,
            new_id=self._new_id(command),
            caller=CallerId(f"{owner}/default"),
        )
        return predict(self.rules, flow, context, past, keyed=key is not None)

    def apply(self, prediction: Prediction, owner: Owner, key: str | None) -> None:
        """Make the change of a prediction."""
        if prediction.change is None:
            return
        self.flows[prediction.change.flow.flow_id] = prediction.change.flow
        if key is not None:
            self._results[owner, key] = prediction.change

    def find(self, owner: Owner, flow_id: FlowId) -> ModelFlow | None:
        """Return an owner's flow."""
        flow = self.flows.get(flow_id)
        return flow if flow is not None and flow.owner == owner else None

    def listed(self, owner: Owner, status: str | None = None) -> tuple[PlainView, ...]:
        """Return an owner's flows, newest first; those of one status if it is given."""
        return tuple(
            flow.view
            for flow in reversed(self.flows.values())
            if flow.owner == owner and status in {None, flow.status}
        )

    def count_tasks(self) -> int:
        """Return how many tasks all flows have."""
        return sum(len(flow.tasks) for flow in self.flows.values())

    def _decided_on(self, owner: Owner, command: Command) -> ModelFlow | None:
        if not isinstance(command, CreateFlow):
            return self.flows.get(command.flow_id)
        key = command.correlation_key
        return next((flow for flow in self.flows.values() if flow.holds(owner, key)), None)

    def _new_id(self, command: Command) -> str:
        if isinstance(command, CreateFlow):
            return f"flow-{len(self.flows) + 1}"
        return f"task-{self.count_tasks() + 1}"


def _accepted(flow: ModelFlow, command: Command, task_id: TaskId | None) -> Answer:
    return Answer(ACCEPTED, "", flow.view, flow.task_view(task_id), tasks=_tasks(flow, command))


def _rejected(
    rejection: ModelRejection, flow: ModelFlow | None, command: Command, task_id: TaskId | None
) -> Answer:
    code, reason = rejection.code, rejection.reason
    if flow is None or code == "not_found":
        return Answer(code, reason)
    task = flow.task_view(task_id) if isinstance(command, UpdateTask | LoseTask) else None
    return Answer(code, reason, flow.view, task, tasks=_tasks(flow, command))


def _tasks(flow: ModelFlow, command: Command) -> tuple[PlainView, ...]:
    listed = flow.listed_tasks if isinstance(command, CancelFlow) else ()
    return tuple(view for task in listed if (view := flow.task_view(task.task_id)))
