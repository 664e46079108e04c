"""The rules of a flow as prose has them: one method a command, ifs, and no table."""

from __future__ import annotations

import re
from typing import TypeVar, assert_never

from attrs import evolve as replace

from adapters.testing.model import children
from adapters.testing.model.life import Child, Life
from adapters.testing.model.ruling import No, Ruling, Verdict
from domain.flow.commands import (
    CancelFlow,
    CommandContext,
    CreateFlow,
    FailFlow,
    FinishFlow,
    FlowCommand,
    LoseTask,
    RequestCancel,
    ResumeFlow,
    RunTask,
    SetWaiting,
    UpdateTask,
)
from domain.flow.ids import FlowId, TaskId
from domain.flow.values import Json, Keep, Patch

T = TypeVar("T")


class Rules:
    """The rules. Whoever changes one in the core says it here again, in other words.

    A method a command: it is given the flow as it stands, the command and the moment, and returns
    the flow thereafter, or why not. Override the one whose rule you change.
    """

    def rule(self, life: Life | None, issued: CommandContext) -> Ruling:
        """Say what a command leads to, and which task it is about."""
        command, new_id = issued.command, issued.new_id
        if isinstance(command, CreateFlow):
            return self.create(command, issued), None
        if life is None or life.owner != issued.owner:
            return No("not_found", "Flow not found."), None
        at = max(issued.at, life.latest_at)
        verdict = self.objection(life, command) or self._verdict(
            life, command, at=at, new_id=TaskId(new_id)
        )
        return verdict, children.meant(life, command, new_id)

    def objection(self, life: Life, command: FlowCommand) -> No | None:
        """Say why a flow as it stands does not take a command: the revision, then the lifecycle."""
        if getattr(command, "expected_revision", life.revision) != life.revision:
            return No("revision_conflict", "TaskFlow changed since the caller's expected revision.")
        if isinstance(command, UpdateTask):
            return None
        if isinstance(command, LoseTask):
            not_wanted = No("task_not_silent", "Flow cancellation has not been requested.")
            return None if life.wants_cancel else not_wanted
        if isinstance(command, RunTask) and life.wants_cancel:
            return No("cancel_requested", "Flow cancellation has already been requested.")
        return None if life.is_live else No("terminal", f"Flow is already {life.status}.")

    def _verdict(self, life: Life, command: FlowCommand, *, at: int, new_id: TaskId) -> Verdict:  # noqa: PLR0911 - a line a command
        match command:
            case SetWaiting():
                return self.set_waiting(life, command, at)
            case ResumeFlow():
                return self.resume(life, command, at)
            case FinishFlow():
                return self.finish(life, command, at)
            case FailFlow():
                return self.fail(life, command, at)
            case RequestCancel():
                return self.request_cancel(life, command, at)
            case CancelFlow():
                return self.cancel(life, command, at)
            case RunTask():
                return self.run_task(life, command, at, new_id=new_id)
            case UpdateTask():
                return self.update_task(life, command, at)
            case LoseTask():
                return self.lose_task(life, command, at)
            case _:
                assert_never(command)

    def create(self, command: CreateFlow, issued: CommandContext) -> Life:
        """A flow begins as it was asked for, at revision 0."""
        return Life(
            flow_id=FlowId(issued.new_id),
            owner=issued.owner,
            controller_id=command.controller_id,
            goal=command.goal,
            status=str(command.status),
            notify_policy=str(command.notify_policy),
            current_step=command.current_step,
            state_json=_text(command.state_json),
            wait_json=_text(command.wait_json),
            created_at=issued.at,
            updated_at=issued.at,
            latest_at=issued.at,
        )

    def set_waiting(self, life: Life, command: SetWaiting, at: int) -> Verdict:
        """A flow waits, or is blocked if this request says by what; what it omits stays."""
        reasons = (command.blocked_task_id, command.blocked_summary)
        blocked = any(
            isinstance(reason, str) and not re.fullmatch(children.BLANK, reason)
            for reason in reasons
        )
        return replace(
            _moved(life, at),
            status="blocked" if blocked else "waiting",
            current_step=_patched(life.current_step, command.current_step),
            state_json=_patched_json(life.state_json, command.state_json),
            wait_json=_patched_json(life.wait_json, command.wait_json),
            blocked_task_id=_patched(life.blocked_task_id, command.blocked_task_id),
            blocked_summary=_patched(life.blocked_summary, command.blocked_summary),
        )

    def resume(self, life: Life, command: ResumeFlow, at: int) -> Verdict:
        """A flow goes on; what it waited for is cleared."""
        return replace(
            _cleared(_moved(life, at)),
            status=str(command.status),
            current_step=_patched(life.current_step, command.current_step),
            state_json=_patched_json(life.state_json, command.state_json),
        )

    def finish(self, life: Life, command: FinishFlow, at: int) -> Verdict:
        """A flow ends well; what it waited for is cleared."""
        state_json = _patched_json(life.state_json, command.state_json)
        ended = _cleared(_moved(life, at))
        return replace(ended, status="succeeded", ended_at=at, state_json=state_json)

    def fail(self, life: Life, command: FailFlow, at: int) -> Verdict:
        """A flow ends badly; the block fields may say why."""
        return replace(
            _cleared(_moved(life, at)),
            status="failed",
            ended_at=at,
            state_json=_patched_json(life.state_json, command.state_json),
            blocked_task_id=_patched(life.blocked_task_id, command.blocked_task_id),
            blocked_summary=_patched(life.blocked_summary, command.blocked_summary),
        )

    def request_cancel(self, life: Life, _: RequestCancel, at: int) -> Verdict:
        """Somebody wants a flow cancelled: from now on, and said anew each time."""
        return replace(_moved(life, at), cancel_requested_at=at)

    def cancel(self, life: Life, _: CancelFlow, at: int) -> Verdict:
        """A flow is cancelled, or will be as soon as no child is active."""
        wanted = life if life.wants_cancel else replace(_moved(life, at), cancel_requested_at=at)
        return wanted if wanted.is_busy else _cancelled(wanted, at)

    def run_task(self, life: Life, command: RunTask, at: int, *, new_id: TaskId) -> Verdict:
        """A flow gets a child, or more is known of the one that the same run got it before."""
        known = children.same_run(life, command)
        if known is None:
            child = children.linked(life, command, at, new_id=new_id)
            return _heard(life, (*life.children, child), at)
        told = children.described(known, command)
        return life if told == known else _with(life, told, at)

    def update_task(self, life: Life, command: UpdateTask, at: int) -> Verdict:
        """A child runs, gives news or ends; the end of the last one may cancel its flow."""
        child = _unended(life, command.task_id)
        if isinstance(child, No):
            return child
        return _settled(_with(life, children.reported(child, command, at), at), at)

    def lose_task(self, life: Life, command: LoseTask, at: int) -> Verdict:
        """A child is given up, if nothing was heard of it or an operator does not care."""
        child = _unended(life, command.task_id)
        if isinstance(child, No):
            return child
        latest, seen = command.silent_before, command.task_events
        late = latest is not None and latest < min(child.last_event_at, child.heard_at)
        if late or (seen is not None and seen != life.reports):
            return No("task_not_silent", "There was news of the task.")
        error = "given up by an operator" if latest is None else "backing session missing"
        return _settled(_with(life, children.lost(child, at, error), at), at)


def _heard(life: Life, family: tuple[Child, ...], at: int) -> Life:
    return replace(life, children=family, latest_at=at, happened=life.happened + 1)


def _moved(life: Life, at: int) -> Life:
    moved = replace(life, revision=life.revision + 1, updated_at=at)
    return _heard(moved, life.children, at)


def _cleared(life: Life) -> Life:
    return replace(life, wait_json="null", blocked_task_id=None, blocked_summary=None)


def _cancelled(life: Life, at: int) -> Life:
    return replace(_cleared(_moved(life, at)), status="cancelled", ended_at=at)


def _unended(life: Life, task_id: TaskId) -> Child | No:
    child = life.child(task_id)
    if child is None:
        return No("task_not_found", "Task not found.")
    return child if child.is_active else No("task_terminal", f"Task is already {child.status}.")


def _with(life: Life, child: Child, at: int) -> Life:
    family = tuple(child if one.task_id == child.task_id else one for one in life.children)
    return _heard(life, family, at)


def _settled(life: Life, at: int) -> Life:
    over = life.is_live and life.wants_cancel and not life.is_busy
    return _cancelled(life, at) if over else life


def _patched(old: str | None, new: Patch[str | None]) -> str | None:
    return old if isinstance(new, Keep) else new


def _patched_json(old: str | None, new: Patch[Json]) -> str | None:
    return old if isinstance(new, Keep) else new.text


def _text(value: Json | None) -> str | None:
    return None if value is None else value.text
