"""All flows of all owners, as the model has them: what is told, listed, and remembered."""

from __future__ import annotations

from typing import Final

from attrs import define, field, frozen

from adapters.testing.answers import ACCEPTED, Answer, Shown
from adapters.testing.model.life import Life, shown_child, shown_life, summary_of
from adapters.testing.model.rules import Rules
from adapters.testing.model.ruling import No
from domain.flow.commands import (
    CancelFlow,
    Command,
    CommandContext,
    CreateFlow,
    LoseTask,
    UpdateTask,
)
from domain.flow.ids import FlowId, Owner, TaskId

REUSED: Final = Answer(
    "idempotency_key_reused", "The idempotency key was used for another request."
)


@frozen
class Kept:
    """A request that was accepted, and what it led to: told again to who repeats its key."""

    command: Command
    life: Life
    task_id: TaskId | None


@frozen
class Foreseen:
    """What a command will be answered, and what it changes, if it does; a key is a change, too."""

    answer: Answer
    change: Kept | None = None


def foresee(
    rules: Rules, life: Life | None, issued: CommandContext, past: Kept | None, *, keyed: bool
) -> Foreseen:
    """Say what a command leads to; `past` is what its key stands for, if that was used before."""
    command = issued.command
    if past is not None:
        same = past.command == command
        return Foreseen(_accepted(past.life, command, past.task_id) if same else REUSED)
    verdict, task_id = rules.rule(life, issued)
    if isinstance(verdict, No):
        return Foreseen(_refused(verdict, life, command, task_id))
    answer = _accepted(verdict, command, task_id)
    changes = keyed or verdict != life
    return Foreseen(answer, Kept(command, verdict, task_id) if changes else None)


@define
class Model:
    """Flows by their names, `flow-1` and so on in the order of their creation.

    Names are the model's own: tasks are `task-1`, `task-2` and so on over all flows.
    """

    rules: Rules = field(factory=Rules)
    lives: dict[str, Life] = field(factory=dict)
    _kept: dict[tuple[str, str], Kept] = field(factory=dict)

    def foresee(self, owner: Owner, command: Command, *, key: str | None, at: int) -> Foreseen:
        """Say what a command of an owner leads to, without letting it happen."""
        life = None if isinstance(command, CreateFlow) else self.lives.get(command.flow_id)
        past = None if key is None else self._kept.get((owner, key))
        issued = CommandContext(command=command, owner=owner, at=at, new_id=self._new_id(command))
        return foresee(self.rules, life, issued, past, keyed=key is not None)

    def adopt(self, foreseen: Foreseen, owner: Owner, key: str | None) -> None:
        """Let happen what was foreseen for an owner and a key."""
        if foreseen.change is None:
            return
        self.lives[foreseen.change.life.flow_id] = foreseen.change.life
        if key is not None:
            self._kept[owner, key] = foreseen.change

    def find(self, owner: Owner, flow_id: FlowId) -> Shown | None:
        """Return what an owner is shown of a flow."""
        life = self._owned(owner, flow_id)
        return None if life is None else shown_life(life)

    def summary(self, owner: Owner, flow_id: FlowId) -> Shown | None:
        """Return what an owner is shown of a flow's tasks."""
        life = self._owned(owner, flow_id)
        return None if life is None else summary_of(life)

    def listed(self, owner: Owner, status: str | None = None) -> tuple[Shown, ...]:
        """Return an owner's flows, those of one status if it is given, newest first."""
        return tuple(
            shown_life(life)
            for life in reversed(self.lives.values())
            if life.owner == owner and status in {None, life.status}
        )

    def _owned(self, owner: Owner, flow_id: FlowId) -> Life | None:
        life = self.lives.get(flow_id)
        return life if life is not None and life.owner == owner else None

    def _new_id(self, command: Command) -> str:
        if isinstance(command, CreateFlow):
            return f"flow-{len(self.lives) + 1}"
        return f"task-{sum(len(life.children) for life in self.lives.values()) + 1}"


def _accepted(life: Life, command: Command, task_id: TaskId | None) -> Answer:
    return Answer(ACCEPTED, "", shown_life(life), _task(life, task_id), tasks=_tasks(life, command))


def _refused(no: No, life: Life | None, command: Command, task_id: TaskId | None) -> Answer:
    if life is None or no.code == "not_found":
        return Answer(no.code, no.reason)
    task = _task(life, task_id) if isinstance(command, UpdateTask | LoseTask) else None
    return Answer(no.code, no.reason, shown_life(life), task, tasks=_tasks(life, command))


def _tasks(life: Life, command: Command) -> tuple[Shown, ...]:
    if not isinstance(command, CancelFlow):
        return ()
    return tuple(shown_child(child, life.flow_id) for child in life.listed_children)


def _task(life: Life, task_id: TaskId | None) -> Shown | None:
    child = None if task_id is None else life.child(task_id)
    return None if child is None else shown_child(child, life.flow_id)
