"""Small worlds in which every command can be tried in every state: two owners, two tasks or waits.

A state is a flow without what no decision depends on. `normal` drops, and why that is sound:

- moments: a decision compares the clock with `latest_at` alone, and a task's silence with the
  moment that is asked for; every moment that is set becomes `NOW`, and each command is tried one
  step later and one step earlier, each loss at the very moment of the last news and before it;
- of a wait, the moment until which it lasts stays as it is: it is compared with the clock, which
  is at `NOW` or one step later, and with the moment that is asked for; the keys of callers are two;
- the revision and the version: decisions compare the revision for equality only, so that it
  becomes `REVISION`, and each command is tried with it, one too small and one too large; and the
  number of task events, their difference, with which each loss is tried and with one too small.
- the correlation key: creations alone look at it, so each flow is taken to have the first of two,
  and creations are tried with both and without one.

Ids, goals and texts are one of each kind, as no decision looks into them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final, TypeAlias

from attrs import evolve as replace

from domain.flow.commands import (
    REVISIONED,
    CancelFlow,
    Command,
    CommandContext,
    CreateFlow,
    ExpireWait,
    FailFlow,
    FinishFlow,
    FollowLink,
    LoseTask,
    RequestCancel,
    ResumeEarly,
    ResumeFlow,
    RunTask,
    SetWaiting,
    UpdateTask,
)
from domain.flow.ids import CallerId, FlowId, Owner, TaskId
from domain.flow.state import Flow
from domain.flow.status import LIVE, FlowStatus, OnTimeout, Runtime, TaskStatus
from domain.flow.task import Task
from domain.flow.values import Json, Timestamp

State: TypeAlias = Flow | None

OWNERS: Final = (Owner("agent:main:main"), Owner("agent:main:other"))
FLOW: Final = FlowId("flow")
NOW: Final = 100
LATER: Final = NOW + 10
KEYS: Final = ("key-1", "key-2")
LINKS: Final = ("link-1", "link-2")
CALLERS: Final = (CallerId("route/key-1"), CallerId("route/key-2"))
REVISION: Final = 5
VERSION: Final = 50
TASKS: Final = ("task-1", "task-2")
NO_TASK: Final = "task-0"
REPORTS: Final = tuple(s for s in TaskStatus if s not in {TaskStatus.QUEUED, TaskStatus.LOST})


def normal(flow: Flow) -> Flow:
    """Return the state that a flow is in."""
    return replace(
        flow,
        version=VERSION,
        revision=REVISION,
        correlation_key=KEYS[0],
        created_at=NOW,
        updated_at=NOW,
        latest_at=NOW,
        cancel_requested_at=_at(flow.cancel_requested_at),
        ended_at=_at(flow.ended_at),
        tasks=tuple(_normal_task(task) for task in flow.tasks),
    )


def _normal_task(task: Task) -> Task:
    return replace(
        task,
        created_at=NOW,
        last_event_at=NOW,
        last_heartbeat_at=NOW,
        started_at=_at(task.started_at),
        ended_at=_at(task.ended_at),
        cleanup_after=_at(task.cleanup_after),
    )


def _at(moment: Timestamp | None) -> Timestamp | None:
    return None if moment is None else NOW


_WAIT: Final = partial(SetWaiting, flow_id=FLOW, expected_revision=REVISION)
_RUN: Final = RunTask(flow_id=FLOW, runtime=Runtime.ACP, task="work", run_id=TASKS[0])


def _plain_commands() -> Iterator[Command]:
    """Yield those of both worlds."""
    create = partial(CreateFlow, goal="g", controller_id="c", correlation_key=KEYS[0])
    yield from (create(status=status) for status in sorted(LIVE))
    yield create(correlation_key=KEYS[1])
    yield create(correlation_key=None)
    yield _WAIT()
    yield _WAIT(blocked_summary="why", wait_json=Json('"w"'))
    yield ResumeFlow(flow_id=FLOW, expected_revision=REVISION)
    yield ResumeFlow(flow_id=FLOW, expected_revision=REVISION, status=FlowStatus.RUNNING)
    yield FinishFlow(flow_id=FLOW, expected_revision=REVISION)
    yield FailFlow(flow_id=FLOW, expected_revision=REVISION)
    yield RequestCancel(flow_id=FLOW, expected_revision=REVISION)
    yield CancelFlow(flow_id=FLOW)
    yield _RUN
    yield UpdateTask(flow_id=FLOW, task_id=TaskId(TASKS[0]), status=TaskStatus.SUCCEEDED)


def _wait_commands() -> Iterator[Command]:
    """Yield what only a wait depends on: its time, its links, resumes and who may send them."""
    for until in (NOW, LATER, None):
        yield _WAIT(until=until)
    yield _WAIT(until=NOW, on_timeout=OnTimeout.RESUME, link_hash=LINKS[0])
    yield _WAIT(link_hash=LINKS[1])
    yield _WAIT(link_hash=None)
    yield _WAIT(separate_approver=True)
    yield _WAIT(separate_approver=True, until=NOW, blocked_summary="why")
    yield _WAIT(separate_approver=True, until=NOW, on_timeout=OnTimeout.RESUME)
    yield _WAIT(separate_approver=True, link_hash=LINKS[0])
    create = partial(CreateFlow, goal="g", controller_id="c", separate_approver=True)
    yield from (create(status=status) for status in (FlowStatus.WAITING, FlowStatus.QUEUED))
    yield from (FollowLink(flow_id=FLOW, link_hash=link) for link in LINKS)
    yield from (ExpireWait(flow_id=FLOW, until=until) for until in (NOW, LATER))
    yield ResumeEarly(flow_id=FLOW, expected_revision=REVISION)
    yield ResumeEarly(flow_id=FLOW, expected_revision=REVISION, status=FlowStatus.RUNNING)


def _task_commands() -> Iterator[Command]:
    """Yield what is said of tasks, and why a flow is blocked by one."""
    yield _WAIT(blocked_task_id=TASKS[0])
    yield _WAIT(blocked_summary=" ")
    yield _WAIT(blocked_summary=None, blocked_task_id=None)
    yield FailFlow(flow_id=FLOW, expected_revision=REVISION, blocked_summary="why")
    for run in TASKS:
        yield from _runs(replace(_RUN, run_id=run))
    for task in (*TASKS, NO_TASK):
        yield from (
            UpdateTask(flow_id=FLOW, task_id=TaskId(task), status=status) for status in REPORTS
        )
        yield LoseTask(flow_id=FLOW, task_id=TaskId(task), silent_before=NOW)
        yield LoseTask(flow_id=FLOW, task_id=TaskId(task), silent_before=NOW - 1)
        yield LoseTask(flow_id=FLOW, task_id=TaskId(task), silent_before=None)
        seen = VERSION - 1 - REVISION
        yield LoseTask(flow_id=FLOW, task_id=TaskId(task), silent_before=NOW, task_events=seen)
        yield LoseTask(flow_id=FLOW, task_id=TaskId(task), silent_before=NOW, task_events=seen - 1)


def _runs(run: RunTask) -> Iterator[RunTask]:
    """Yield ways to link the task of a run, or to tell more of it."""
    yield run
    yield replace(run, status=TaskStatus.RUNNING)
    yield replace(run, label="label")


def _revisions(command: Command) -> Iterator[Command]:
    yield command
    if isinstance(command, REVISIONED):
        yield replace(command, expected_revision=REVISION - 1)
        yield replace(command, expected_revision=REVISION + 1)
        yield replace(command, expected_revision=None)


def _new_id(command: Command) -> str:
    """Return the id of what a command may make: a task is named by its run, so there are two."""
    return (command.run_id or NO_TASK) if isinstance(command, RunTask) else FLOW


GUARDED: Final = (CreateFlow, SetWaiting, ResumeFlow, ResumeEarly)
"""The commands that ask which key they came with."""


def _wishes(*groups: Iterable[Command]) -> tuple[CommandContext, ...]:
    commands = dict.fromkeys(command for group in groups for command in group)
    return tuple(
        CommandContext(
            command=command, owner=Owner(owner), at=at, new_id=_new_id(command), caller=caller
        )
        for wanted in commands
        for command in _revisions(wanted)
        for owner in OWNERS
        for at in (NOW + 1, NOW - 1)
        for caller in (CALLERS if isinstance(command, GUARDED) else CALLERS[:1])
    )


WISHES: Final = _wishes(_plain_commands(), _wait_commands(), _task_commands())
"""All that can be asked, in every state."""

WORLDS: Final = {
    "tasks": _wishes(_plain_commands(), _task_commands()),
    "waits": _wishes(_plain_commands(), _wait_commands()),
}
"""What is asked in each of two worlds, since what ends a wait and what becomes of a second task do
not depend on one another: together they would have a hundred times as many states."""
