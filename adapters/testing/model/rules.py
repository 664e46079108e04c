"""The lifecycle rules as plain code: one method a command, ifs, and no table."""

from __future__ import annotations

import re
from typing import Any, Final, assert_never

from attrs import evolve as replace

from adapters.testing.model import task_rules, wait_rules
from adapters.testing.model.records import ModelFlow, ModelRejection, ModelTask, Verdict
from domain.flow.commands import (
    CancelFlow,
    CommandContext,
    CreateFlow,
    ExpireWait,
    FailFlow,
    FinishFlow,
    FlowCommand,
    FollowLink,
    LoseTask,
    RequestCancel,
    ResumeEarly,
    ResumeFlow,
    RunTask,
    SetWaiting,
    UpdateTask,
)
from domain.flow.ids import CallerId, FlowId, TaskId
from domain.flow.values import KEEP, Json

PATCHED: Final = ("current_step", "state_json", "wait_json", "blocked_task_id", "blocked_summary")


class Rules:
    """The rules of all commands. A change of a rule in the core is repeated here, in other code.

    Each method takes the flow, the command and the moment, and returns the flow after it or a
    rejection. Override the one whose rule you change.
    """

    def rule(
        self, flow: ModelFlow | None, context: CommandContext
    ) -> tuple[Verdict, TaskId | None]:
        """Return the verdict on a command, and the task that it is about."""
        command, new_id = context.command, context.new_id
        if isinstance(command, CreateFlow):
            return self.create(flow, command, context), None
        if flow is None or flow.owner != context.owner:
            return ModelRejection("not_found", "Flow not found."), None
        at = max(context.at, flow.latest_at)
        verdict = self.objection(flow, context) or self._verdict(
            flow, context, at=at, new_id=TaskId(new_id)
        )
        return verdict, task_rules.subject_of(flow, command, new_id)

    def objection(  # noqa: PLR0911 - a line a reason
        self, flow: ModelFlow, context: CommandContext
    ) -> ModelRejection | None:
        """Return why a flow rejects a command: its revision comes first, then the lifecycle."""
        command = context.command
        expected = getattr(command, "expected_revision", None)
        if expected is not None and expected != flow.revision:
            changed = "TaskFlow changed since the caller's expected revision."
            return ModelRejection("revision_conflict", changed)
        if isinstance(command, FollowLink | ExpireWait):
            return wait_rules.objection_to_end(flow, command, max(context.at, flow.latest_at))
        if isinstance(command, UpdateTask) or (isinstance(command, LoseTask) and flow.wants_cancel):
            return None
        if isinstance(command, LoseTask):
            return ModelRejection("task_not_silent", "Flow cancellation has not been requested.")
        if isinstance(command, RunTask) and flow.wants_cancel:
            already = "Flow cancellation has already been requested."
            return ModelRejection("cancel_requested", already)
        if not flow.is_live:
            return ModelRejection("terminal", f"Flow is already {flow.status}.")
        return wait_rules.objection_of_four_eyes(flow, context)

    def _verdict(  # noqa: C901, PLR0911, PLR0912 - a line a command
        self, flow: ModelFlow, context: CommandContext, *, at: int, new_id: TaskId
    ) -> Verdict:
        command = context.command
        match command:
            case CreateFlow():
                raise AssertionError("a creation is no command on a flow")
            case SetWaiting():
                return self.set_waiting(flow, command, at, caller=context.caller)
            case ResumeEarly():
                return self.resume_early(flow, command, at, caller=context.caller)
            case FollowLink():
                return self.follow_link(flow, command, at)
            case ExpireWait():
                return self.expire_wait(flow, command, at)
            case ResumeFlow():
                return self.resume(flow, command, at)
            case FinishFlow():
                return self.finish(flow, command, at)
            case FailFlow():
                return self.fail(flow, command, at)
            case RequestCancel():
                return self.request_cancel(flow, command, at)
            case CancelFlow():
                return self.cancel(flow, command, at)
            case RunTask():
                return self.run_task(flow, command, at, new_id=new_id)
            case UpdateTask():
                return self.update_task(flow, command, at)
            case LoseTask():
                return self.lose_task(flow, command, at)
            case _:
                assert_never(command)

    def create(
        self, flow: ModelFlow | None, command: CreateFlow, context: CommandContext
    ) -> Verdict:
        """A flow begins as it was asked for, at revision 0, unless a live one has its key."""
        if flow is not None and flow.holds(context.owner, command.correlation_key):
            taken = "Another live flow has this correlationKey."
            return ModelRejection("correlation_key_taken", taken)
        return ModelFlow(
            flow_id=FlowId(context.new_id),
            owner=context.owner,
            controller_id=command.controller_id,
            goal=command.goal,
            status=str(command.status),
            notify_policy=str(command.notify_policy),
            current_step=command.current_step,
            state_json=_text(command.state_json),
            wait_json=_text(command.wait_json),
            correlation_key=command.correlation_key,
            created_at=context.at,
            updated_at=context.at,
            latest_at=context.at,
            requesters=wait_rules.requesters_of_new(command, context.caller),
        )

    def set_waiting(
        self, flow: ModelFlow, command: SetWaiting, at: int, *, caller: CallerId | None
    ) -> Verdict:
        """A flow waits, or is blocked if this command has a reason; a kept resume ends it again."""
        reasons = (command.blocked_task_id, command.blocked_summary)
        blocked = any(
            isinstance(reason, str) and not re.fullmatch(task_rules.BLANK, reason)
            for reason in reasons
        )
        status = "blocked" if blocked else "waiting"
        waits = _patched(replace(_moved(flow, at), status=status), command)
        waits = wait_rules.with_wait(waits, command, caller)
        kept = flow.kept_resume
        if kept is None or (command.separate_approver and flow.kept_by == caller is not None):
            return waits
        return self.resume(waits, kept, at)

    def resume_early(
        self, flow: ModelFlow, command: ResumeEarly, at: int, *, caller: CallerId | None
    ) -> Verdict:
        """A flow that waits goes on; for another one the resume is kept, and no revision moves."""
        if flow.is_waiting:
            return self.resume(flow, command, at)
        kept = replace(flow, kept_resume=replace(command, expected_revision=0), kept_by=caller)
        return _recorded(kept, flow.tasks, at)

    def follow_link(self, flow: ModelFlow, command: FollowLink, at: int) -> Verdict:
        """A flow goes on, and its link is used up."""
        resumed = replace(_cleared(_moved(flow, at)), status="queued")
        return replace(resumed, used_link=command.link_hash)

    def expire_wait(self, flow: ModelFlow, _: ExpireWait, at: int) -> Verdict:
        """A flow goes on without what it waited for, or fails."""
        moved = _moved(flow, at)
        if flow.on_timeout == "resume":
            return replace(_cleared(moved), status="queued")
        failed = replace(moved, status="failed", ended_at=at, wait_json="null")
        return wait_rules.without_more_waits(failed)

    def resume(self, flow: ModelFlow, command: ResumeFlow | ResumeEarly, at: int) -> Verdict:
        """A flow goes on; its wait and block fields are cleared."""
        resumed = replace(_cleared(_moved(flow, at)), status=str(command.status))
        return _patched(resumed, command)

    def finish(self, flow: ModelFlow, command: FinishFlow, at: int) -> Verdict:
        """A flow succeeds; its wait and block fields are cleared."""
        cleared = wait_rules.without_more_waits(_cleared(_moved(flow, at)))
        ended = replace(cleared, status="succeeded", ended_at=at)
        return _patched(ended, command)

    def fail(self, flow: ModelFlow, command: FailFlow, at: int) -> Verdict:
        """A flow fails; its block fields stay or say why."""
        failed = replace(_moved(flow, at), status="failed", ended_at=at, wait_json="null")
        return _patched(wait_rules.without_more_waits(failed), command)

    def request_cancel(self, flow: ModelFlow, _: RequestCancel, at: int) -> Verdict:
        """Each request sets the cancel intent anew."""
        return replace(_moved(flow, at), cancel_requested_at=at)

    def cancel(self, flow: ModelFlow, _: CancelFlow, at: int) -> Verdict:
        """A flow is cancelled, or will be as soon as no task is active."""
        wanted = flow if flow.wants_cancel else replace(_moved(flow, at), cancel_requested_at=at)
        return wanted if wanted.is_busy else _cancelled(wanted, at)

    def run_task(self, flow: ModelFlow, command: RunTask, at: int, *, new_id: TaskId) -> Verdict:
        """A flow gets a task, or the task of the same run gets more metadata."""
        known = task_rules.find_same_run(flow, command)
        if known is None:
            task = task_rules.link_task(flow, command, at, new_id=new_id)
            return _recorded(flow, (*flow.tasks, task), at)
        enriched = task_rules.enrich_task(known, command)
        return flow if enriched == known else _with(flow, enriched, at)

    def update_task(self, flow: ModelFlow, command: UpdateTask, at: int) -> Verdict:
        """A task runs, reports progress or ends; the end of the last one may cancel its flow."""
        task = _unended(flow, command.task_id)
        if isinstance(task, ModelRejection):
            return task
        return _settled(_with(flow, task_rules.report_task(task, command, at), at), at)

    def lose_task(self, flow: ModelFlow, command: LoseTask, at: int) -> Verdict:
        """A task is given up if it is stale, or by an operator in any case."""
        task = _unended(flow, command.task_id)
        if isinstance(task, ModelRejection):
            return task
        latest, seen = command.silent_before, command.task_events
        late = latest is not None and latest < min(task.last_event_at, task.last_heartbeat_at)
        if late or (seen is not None and seen != flow.reports):
            return ModelRejection("task_not_silent", "There was news of the task.")
        error = "given up by an operator" if latest is None else "backing session missing"
        return _settled(_with(flow, task_rules.lose_task(task, at, error), at), at)


def _recorded(flow: ModelFlow, tasks: tuple[ModelTask, ...], at: int) -> ModelFlow:
    return replace(flow, tasks=tasks, latest_at=at, event_count=flow.event_count + 1)


def _moved(flow: ModelFlow, at: int) -> ModelFlow:
    moved = replace(flow, revision=flow.revision + 1, updated_at=at)
    return _recorded(moved, flow.tasks, at)


def _cleared(flow: ModelFlow) -> ModelFlow:
    over = wait_rules.without_wait(flow)
    return replace(over, wait_json="null", blocked_task_id=None, blocked_summary=None)


def _cancelled(flow: ModelFlow, at: int) -> ModelFlow:
    cleared = wait_rules.without_more_waits(_cleared(_moved(flow, at)))
    return replace(cleared, status="cancelled", ended_at=at)


def _unended(flow: ModelFlow, task_id: TaskId) -> ModelTask | ModelRejection:
    task = flow.task(task_id)
    if task is None:
        return ModelRejection("task_not_found", "Task not found.")
    if not task.is_active:
        return ModelRejection("task_terminal", f"Task is already {task.status}.")
    return task


def _with(flow: ModelFlow, task: ModelTask, at: int) -> ModelFlow:
    tasks = tuple(task if one.task_id == task.task_id else one for one in flow.tasks)
    return _recorded(flow, tasks, at)


def _settled(flow: ModelFlow, at: int) -> ModelFlow:
    over = flow.is_live and flow.wants_cancel and not flow.is_busy
    return _cancelled(flow, at) if over else flow


def _patched(flow: ModelFlow, command: FlowCommand) -> ModelFlow:
    given = {name: getattr(command, name, KEEP) for name in PATCHED}
    patches: dict[str, Any] = {k: _text(value) for k, value in given.items() if value is not KEEP}
    return replace(flow, **patches)


def _text(value: Json | str | None) -> str | None:
    return value.text if isinstance(value, Json) else value
