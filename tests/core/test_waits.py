"""Waits that end: by time, by a link, by a resume that came early; and who may not end them."""

from __future__ import annotations

import pytest
from attrs import evolve as replace

from adapters.testing.examples import CREATED, FLOW, NOW, THEN
from adapters.testing.scenario import Given, given
from domain.flow.commands import (
    CreateFlow,
    ExpireWait,
    FinishFlow,
    FollowLink,
    ResumeEarly,
    ResumeFlow,
    SetWaiting,
)
from domain.flow.events import (
    FlowBeganWaiting,
    FlowResumed,
    FlowResumedByLink,
    FlowResumeKept,
    FlowWaitExpired,
)
from domain.flow.ids import CallerId
from domain.flow.refusals import RefusalCode
from domain.flow.status import FlowStatus, OnTimeout
from domain.flow.values import JSON_NULL, Json

ASKER, APPROVER = CallerId("zapier/default"), CallerId("zapier/second")
WAIT = SetWaiting(flow_id=FLOW, expected_revision=0)
EXPIRE = ExpireWait(flow_id=FLOW, until=NOW)
FOLLOW = FollowLink(flow_id=FLOW, link_hash="link")
EARLY = ResumeEarly(
    flow_id=FLOW, expected_revision=0, status=FlowStatus.RUNNING, state_json=Json("[1]")
)
APART = replace(WAIT, separate_approver=True)
TIMED = FlowBeganWaiting(at=THEN, until=NOW, on_timeout=OnTimeout.RESUME, link_hash="link")


def waiting(began: FlowBeganWaiting = TIMED) -> Given:
    return given(CREATED, began)


def test_a_wait_fails_its_flow_by_default() -> None:
    given(CREATED).when(replace(WAIT, until=NOW)).then(
        FlowBeganWaiting(at=NOW, until=NOW, on_timeout=OnTimeout.FAIL)
    )


def test_an_end_that_is_left_out_stays_and_null_takes_it_back() -> None:
    again = replace(WAIT, expected_revision=1)
    kept = waiting().when(again).flow
    assert (kept.until, kept.on_timeout, kept.link_hash) == (NOW, OnTimeout.RESUME, "link")
    cleared = waiting().when(replace(again, until=None, link_hash=None)).flow
    assert (cleared.until, cleared.on_timeout, cleared.link_hash) == (None, None, None)


def test_a_wait_that_is_due_goes_on_without_what_it_waited_for() -> None:
    flow = waiting(replace(TIMED, wait_json=Json("1"))).when(EXPIRE, at=NOW).flow
    assert (flow.status, flow.wait_json, flow.revision) == (FlowStatus.QUEUED, JSON_NULL, 2)
    assert (flow.until, flow.on_timeout, flow.link_hash) == (None, None, None)


def test_a_wait_that_is_due_fails_where_it_says_so() -> None:
    decided = waiting(replace(TIMED, on_timeout=OnTimeout.FAIL)).when(EXPIRE, at=NOW)
    decided.then(FlowWaitExpired(at=NOW, on_timeout=OnTimeout.FAIL))
    assert (decided.flow.status, decided.flow.ended_at) == (FlowStatus.FAILED, NOW)


def test_a_wait_ends_neither_before_its_time_nor_in_place_of_a_later_one() -> None:
    waiting().when(EXPIRE, at=NOW - 1).refused(RefusalCode.WAIT_NOT_DUE)
    waiting().when(replace(EXPIRE, until=THEN), at=NOW).refused(RefusalCode.WAIT_OVER)
    waiting(replace(TIMED, until=NOW + 1)).when(EXPIRE).refused(RefusalCode.WAIT_OVER)


def test_a_link_works_once() -> None:
    followed = waiting().when(FOLLOW).then(FlowResumedByLink(at=NOW, link_hash="link"))
    assert followed.flow.status is FlowStatus.QUEUED
    followed.when(FOLLOW).refused(RefusalCode.LINK_USED)
    finished = followed.when(FinishFlow(flow_id=FLOW, expected_revision=2))
    Given(finished.flow).when(FOLLOW).refused(RefusalCode.LINK_USED)
    waits = followed.when(replace(WAIT, expected_revision=2))
    Given(waits.flow).when(FOLLOW).refused(RefusalCode.WAIT_OVER)


def test_a_link_ends_no_wait_but_its_own() -> None:
    waiting().when(replace(FOLLOW, link_hash="other")).refused(RefusalCode.WAIT_OVER)
    over = waiting().when(ResumeFlow(flow_id=FLOW, expected_revision=1)).flow
    Given(over).when(FOLLOW).refused(RefusalCode.WAIT_OVER)


def test_a_resume_that_comes_early_is_used_by_the_next_wait_alone() -> None:
    kept = given(CREATED).when(EARLY, caller=ASKER)
    kept.then(
        FlowResumeKept(at=NOW, status=FlowStatus.RUNNING, state_json=Json("[1]"), caller=ASKER)
    )
    assert (kept.flow.revision, kept.flow.state_json) == (0, None)
    goes_on = Given(kept.flow).when(WAIT)
    goes_on.then(
        FlowBeganWaiting(at=NOW),
        FlowResumed(at=NOW, status=FlowStatus.RUNNING, state_json=Json("[1]")),
    )
    again = Given(goes_on.flow).when(replace(WAIT, expected_revision=2))
    assert again.flow.status is FlowStatus.WAITING


def test_a_resume_that_is_not_early_is_applied_at_once() -> None:
    resume = replace(EARLY, expected_revision=1)
    decided = waiting().when(resume)
    decided.then(FlowResumed(at=NOW, status=FlowStatus.RUNNING, state_json=Json("[1]")))


@pytest.mark.parametrize("command", [ResumeFlow, ResumeEarly])
def test_who_let_a_flow_wait_for_another_key_may_not_resume_it(
    command: type[ResumeFlow | ResumeEarly],
) -> None:
    asked = Given(given(CREATED).when(APART, caller=ASKER).flow)
    resume = command(flow_id=FLOW, expected_revision=1)
    asked.when(resume, caller=ASKER).refused(RefusalCode.SAME_APPROVER)
    assert asked.when(resume, caller=APPROVER).flow.requesters == ()


def test_all_that_let_a_flow_wait_for_another_key_are_remembered_until_it_goes_on() -> None:
    flow = given(CREATED).when(APART, caller=ASKER).flow
    flow = Given(flow).when(replace(APART, expected_revision=1), caller=APPROVER).flow
    flow = Given(flow).when(replace(WAIT, expected_revision=2)).flow
    for caller in (ASKER, APPROVER):
        resume = ResumeFlow(flow_id=FLOW, expected_revision=3)
        Given(flow).when(resume, caller=caller).refused(RefusalCode.SAME_APPROVER)


def test_a_flow_that_is_created_waiting_for_another_key_is_no_way_around() -> None:
    create = CreateFlow(
        goal="g", controller_id="c", status=FlowStatus.WAITING, separate_approver=True
    )
    flow = given().when(create, caller=ASKER).flow
    resume = ResumeFlow(flow_id=flow.flow_id, expected_revision=0)
    Given(flow).when(resume, caller=ASKER).refused(RefusalCode.SAME_APPROVER)
    running = given().when(replace(create, status=FlowStatus.RUNNING), caller=ASKER).flow
    assert running.requesters == ()


@pytest.mark.parametrize(
    "way", [{"link_hash": "link"}, {"until": NOW, "on_timeout": OnTimeout.RESUME}]
)
def test_neither_a_link_nor_time_resumes_for_who_asks(way: dict[str, object]) -> None:
    wait = replace(APART, **way)  # type: ignore[arg-type] # fields of the command
    given(CREATED).when(wait, caller=ASKER).refused(RefusalCode.SAME_APPROVER)
    waits = waiting(replace(TIMED, link_hash=None))
    waits.when(replace(APART, expected_revision=1)).refused(RefusalCode.SAME_APPROVER)


def test_a_link_of_an_earlier_wait_is_no_way_around() -> None:
    flow = (
        waiting(FlowBeganWaiting(at=THEN, link_hash="link"))
        .when(replace(APART, expected_revision=1), caller=ASKER)
        .flow
    )
    Given(flow).when(FOLLOW).refused(RefusalCode.WAIT_OVER)


def test_an_early_resume_of_who_asks_is_no_way_around_and_is_gone() -> None:
    kept = given(CREATED).when(EARLY, caller=ASKER).flow
    asked = Given(kept).when(APART, caller=ASKER).flow
    assert (asked.status, asked.kept_resume) == (FlowStatus.WAITING, None)
    other = Given(kept).when(APART, caller=APPROVER).flow
    assert other.status is FlowStatus.RUNNING
