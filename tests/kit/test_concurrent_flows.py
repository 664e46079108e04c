"""Concurrent callers of one flow are told what an order of their calls would tell them."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from attrs import evolve as replace

from adapters.testing.answers import timeless
from adapters.testing.clock import ControlledClock
from adapters.testing.drivers import Driver
from adapters.testing.ids import CountedIds
from adapters.testing.linearizability import (
    NOTHING,
    FlowCall,
    Look,
    NotLinearizable,
    Operation,
    call_flow_id,
    check_linearizable,
    flow_step,
)
from adapters.testing.steps import OWNERS
from domain.flow.commands import CancelFlow, CreateFlow, RequestCancel, ResumeFlow, RunTask
from domain.flow.ids import FlowId, Owner
from domain.flow.status import FlowStatus, Runtime
from tests.kit.concurrent_callers import Caller, Seen, call_at_once
from tests.kit.sqlite import sqlite_service

OWNER = OWNERS[0]
CREATE = CreateFlow(goal="g", controller_id="c")
RESUME = ResumeFlow(flow_id=FlowId("flow-1"), expected_revision=0, status=FlowStatus.RUNNING)


@contextmanager
def durable() -> Iterator[Driver]:
    """Have a service over the durable store."""
    driver = sqlite_service(ControlledClock(), CountedIds())
    try:
        yield driver
    finally:
        driver.close()


def _created(driver: Driver) -> Seen:
    invoked = time.monotonic()
    answer = timeless(driver.send(OWNER, CREATE, None))
    assert answer.flow is not None
    call = FlowCall(FlowId(str(answer.flow["flow_id"])), OWNER, CREATE)
    return Operation(call, invoked, time.monotonic(), answer)


def _checked(history: list[Seen]) -> None:
    check_linearizable(history, flow_step, lambda _: NOTHING, key=call_flow_id)


def test_what_four_callers_of_two_flows_are_told_has_an_order() -> None:
    with durable() as driver:
        created = [_created(driver) for _ in range(2)]
        callers = [
            Caller(driver, OWNER, call_flow_id(created[number % 2].call), random.Random(number))  # noqa: S311 - a test's choices
            for number in range(4)
        ]
        history = call_at_once(callers, 60)
    _checked([*created, *history])
    forged = next(one for one in history if isinstance(one.call, Look) and one.result)
    lie = replace(forged, result={**(forged.result or {}), "goal": "another"})
    with pytest.raises(NotLinearizable, match="- goal: 'g'"):
        _checked([*created, *(lie if one is forged else one for one in history)])


def _told(command: Any, **by: Any) -> Any:  # noqa: ANN401 - any command
    """Return what a command is told by a flow as others have left it."""
    state, answer = NOTHING, None
    for each in (*by.get("after", ()), command):
        state, answer = flow_step(
            state, FlowCall(FlowId("flow-1"), OWNER, each, by.get("new_id", "t"))
        )
    return answer


def _call(command: Any, begin: float, end: float | None, told: Any = None, **by: Any) -> Seen:  # noqa: ANN401 - any command and answer
    call = FlowCall(FlowId("flow-1"), OWNER, command, **by)
    return Operation(call, begin, end, told)


def test_two_callers_with_one_revision_are_not_both_accepted() -> None:
    accepted = _told(RESUME, after=[CREATE])
    history = [
        _call(CREATE, 0, 1, _told(CREATE)),
        _call(RESUME, 2, 5, accepted),
        _call(RESUME, 3, 4, accepted),
    ]
    with pytest.raises(NotLinearizable) as failure:
        _checked(history)
    told = str(failure.value)
    assert "flow-1: not linearizable from its response 3 on" in told
    assert "- code: 'revision_conflict'" in told
    assert "+ code: 'accepted'" in told


def test_an_acknowledged_write_that_is_gone_is_found() -> None:
    history = [
        _call(CREATE, 0, 1, _told(CREATE)),
        _call(RESUME, 2, 3, _told(RESUME, after=[CREATE])),
        Operation(Look(FlowId("flow-1"), OWNER), 4, 5, _told(CREATE).flow),
    ]
    with pytest.raises(NotLinearizable, match=r"- revision: 1\n(.*\n)* +\+ revision: 0"):
        _checked(history)


def test_a_command_whose_answer_was_lost_may_have_happened_or_not() -> None:
    lost = _call(RESUME, 2, None)
    created = _call(CREATE, 0, 1, _told(CREATE))
    for seen in (_told(CREATE).flow, _told(RESUME, after=[CREATE]).flow):
        _checked([created, lost, Operation(Look(FlowId("flow-1"), OWNER), 4, 5, seen)])


def test_a_lost_command_happens_once() -> None:
    wanted = RequestCancel(flow_id=FlowId("flow-1"), expected_revision=0)
    twice = {**_told(wanted, after=[CREATE]).flow, "revision": 2}
    history = [
        _call(CREATE, 0, 1, _told(CREATE)),
        _call(wanted, 2, None),
        Operation(Look(FlowId("flow-1"), OWNER), 4, 5, twice),
    ]
    with pytest.raises(NotLinearizable):
        _checked(history)


def test_a_repeat_with_a_key_is_told_what_the_first_was_told_and_does_nothing() -> None:
    run = RunTask(flow_id=FlowId("flow-1"), runtime=Runtime.ACP, task="work")
    linked = _told(run, after=[CREATE], new_id="t")
    cancelled = CancelFlow(flow_id=FlowId("flow-1"))
    pending = _told(cancelled, after=[CREATE, run])
    history = [
        _call(CREATE, 0, 1, _told(CREATE)),
        _call(run, 2, None, key="k", new_id="t"),
        _call(run, 4, 5, linked, key="k", new_id="t"),
        _call(cancelled, 6, 7, pending),
        _call(run, 8, 9, linked, key="k", new_id="u"),
    ]
    _checked(history)
    unkeyed = replace(history[-1], call=replace(history[-1].call, key=None))
    with pytest.raises(NotLinearizable, match="- code: 'cancel_requested'"):
        _checked([*history[:-1], unkeyed])


def test_another_owner_sees_nothing_at_any_time() -> None:
    created = _call(CREATE, 0, 1, _told(CREATE))
    _checked([created, Operation(Look(FlowId("flow-1"), Owner(OWNERS[1])), 2, 3, None)])
    with pytest.raises(NotLinearizable):
        _checked(
            [created, Operation(Look(FlowId("flow-1"), Owner(OWNERS[1])), 2, 3, _told(CREATE).flow)]
        )
