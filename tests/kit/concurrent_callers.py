"""Callers of one flow at once, each in a thread of its own, who write down what they are told."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

from attrs import define, field

from adapters.testing.answers import Answer, timeless, timeless_view
from adapters.testing.drivers import Driver
from adapters.testing.linearizability import FlowCall, Look, Operation
from domain.flow.commands import (
    CancelFlow,
    Command,
    RequestCancel,
    ResumeFlow,
    RunTask,
    SetWaiting,
    UpdateTask,
)
from domain.flow.ids import FlowId, Owner, TaskId
from domain.flow.status import Runtime, TaskStatus

Seen: TypeAlias = Operation[Any, Any]
LOOKS = 0.2
"""How many of the calls only look."""


@define
class Caller:
    """One caller of one flow, who knows what it was told last."""

    driver: Driver
    owner: str
    flow_id: str
    source: random.Random
    revision: int = 0
    tasks: list[str] = field(factory=lambda: ["task-none"])

    def calls(self, count: int) -> list[Seen]:
        """Call so many times, one after the other."""
        return [self.call() for _ in range(count)]

    def call(self) -> Seen:
        """Look, or send something."""
        if self.source.random() < LOOKS:
            invoked = time.monotonic()
            view = self.driver.find(Owner(self.owner), FlowId(self.flow_id))
            returned = time.monotonic()
            seen = None if view is None else timeless_view(view)
            return Operation(Look(FlowId(self.flow_id), Owner(self.owner)), invoked, returned, seen)
        command = self._choose()
        invoked = time.monotonic()
        answer = timeless(self.driver.send(Owner(self.owner), command, None))
        returned = time.monotonic()
        return Operation(self._called(command, answer), invoked, returned, answer)

    def _choose(self) -> Command:
        flow_id, revision = self.flow_id, self.revision
        run_id = self.source.choice([None, "run-1", "run-2"])
        task_id = self.source.choice(self.tasks)
        often: list[Command] = [
            SetWaiting(
                flow_id=FlowId(flow_id), expected_revision=revision, current_step=f"{revision}"
            ),
            ResumeFlow(flow_id=FlowId(flow_id), expected_revision=revision),
            RunTask(flow_id=FlowId(flow_id), runtime=Runtime.ACP, task="work", run_id=run_id),
            UpdateTask(flow_id=FlowId(flow_id), task_id=TaskId(task_id), status=TaskStatus.RUNNING),
            UpdateTask(flow_id=FlowId(flow_id), task_id=TaskId(task_id), status=TaskStatus.FAILED),
        ]
        seldom: list[Command] = [
            RequestCancel(flow_id=FlowId(flow_id), expected_revision=revision),
            CancelFlow(flow_id=FlowId(flow_id)),
        ]
        return self.source.choice([*often * 8, *seldom])

    def _called(self, command: Command, answer: Answer) -> FlowCall:
        """Write down a call, and learn from its answer."""
        if answer.flow is not None:
            self.revision = int(str(answer.flow["revision"]))
        if answer.task is None or not isinstance(command, RunTask):
            return FlowCall(FlowId(self.flow_id), Owner(self.owner), command)
        task_id = str(answer.task["task_id"])
        self.tasks.append(task_id)
        return FlowCall(FlowId(self.flow_id), Owner(self.owner), command, new_id=task_id)


def call_at_once(callers: Sequence[Caller], count: int) -> list[Seen]:
    """Let all callers call so many times, at once, and return all that they wrote down."""
    with ThreadPoolExecutor(len(callers)) as pool:
        parts = list(pool.map(lambda caller: caller.calls(count), callers))
    return [seen for part in parts for seen in part]
