"""A service beside the model: what is compared, and what a step of each kind comes to."""

from __future__ import annotations

import pytest

from adapters.testing.answers import Answer, Listing, PlainView
from adapters.testing.drivers import (
    Ability,
    Driver,
    DriverFactory,
    HttpDriver,
    PureDriver,
    memory_service,
    pure_core,
    pure_core_with,
)
from adapters.testing.failing import Failure, Moment, WriteFault
from adapters.testing.model import Model, ModelFlow
from adapters.testing.names import Names
from adapters.testing.replay import replay
from adapters.testing.steps import OWNERS, FailNextWrite, Restart, Send, Tick, TrialStep, dump_steps
from adapters.testing.targeting import CommandMutation, Target, retarget
from adapters.testing.trial import Mismatch, Trial
from domain.application.ports import Clock, NewId
from domain.flow.commands import CancelFlow, CreateFlow, FinishFlow, RunTask, UpdateTask
from domain.flow.ids import FlowId, Owner, TaskId
from domain.flow.status import Runtime, TaskStatus

OWNER, OTHER, THIRD = OWNERS
CREATE = CreateFlow(goal="g", controller_id="c")
RUN = RunTask(flow_id=FlowId("flow-1"), runtime=Runtime.ACP, task="work")
END = UpdateTask(flow_id=FlowId("flow-1"), task_id=TaskId("task-1"), status=TaskStatus.FAILED)
FINISH = FinishFlow(flow_id=FlowId("flow-1"), expected_revision=0)
CANCEL = CancelFlow(flow_id=FlowId("flow-1"))


def _taken(steps: list[TrialStep], factory: DriverFactory = memory_service) -> Trial:
    trial = Trial(factory)
    for step in steps:
        trial.do(step)
        trial.look()
    return trial


@pytest.mark.parametrize("factory", [pure_core, memory_service])
def test_steps_of_every_kind_come_to_the_same_on_both_sides(factory: DriverFactory) -> None:
    steps: list[TrialStep] = [
        Send(OWNER, CREATE),
        Tick(5),
        Send(Owner(OTHER), FINISH),
        Send(OWNER, RUN),
        Restart(),
        Send(OWNER, CANCEL),
        Send(OWNER, END),
        Send(Owner(THIRD), CREATE),
    ]
    model = _taken(steps, factory).model
    assert [(flow.status, flow.revision) for flow in model.flows.values()] == [
        ("cancelled", 2),
        ("queued", 0),
    ]


@pytest.mark.parametrize(
    ("fault", "moment", "revision"),
    [
        (WriteFault.CONFLICT, Moment.BEFORE, 1),
        (WriteFault.UNAVAILABLE, Moment.BEFORE, 0),
        (WriteFault.DEATH, Moment.BEFORE, 0),
        (WriteFault.DEATH, Moment.AFTER, 1),
    ],
)
def test_a_write_that_goes_wrong_has_happened_or_not(
    fault: WriteFault, moment: Moment, revision: int
) -> None:
    broken = FailNextWrite(fault, moment)
    trial = _taken([Send(OWNER, CREATE), broken, Send(OWNER, FINISH)])
    assert trial.model.flows[FlowId("flow-1")].revision == revision
    trial.do(Send(OWNER, CANCEL))
    assert trial.model.flows[FlowId("flow-1")].status == ("succeeded" if revision else "cancelled")


def test_what_was_made_when_the_answer_was_lost_is_found_again() -> None:
    died = FailNextWrite(WriteFault.DEATH, Moment.AFTER)
    trial = _taken([died, Send(OWNER, CREATE), Send(OWNER, FINISH)])
    assert trial.model.flows[FlowId("flow-1")].status == "succeeded"


def test_a_failure_waits_for_a_write() -> None:
    trial = _taken(
        [
            Send(OWNER, CREATE),
            FailNextWrite(WriteFault.UNAVAILABLE),
            Send(Owner(OTHER), FINISH),
            Send(OWNER, FinishFlow(flow_id=FlowId("flow-1"), expected_revision=7)),
            Send(OWNER, FINISH),
            Send(OWNER, FINISH),
        ]
    )
    assert trial.model.flows[FlowId("flow-1")].status == "succeeded"


def test_news_that_says_nothing_new_is_written_all_the_same() -> None:
    news = UpdateTask(flow_id=FlowId("flow-1"), task_id=TaskId("task-1"), status=TaskStatus.RUNNING)
    heard: list[TrialStep] = [Send(OWNER, CREATE), Send(OWNER, RUN), Send(OWNER, news)]
    _taken([*heard, FailNextWrite(WriteFault.UNAVAILABLE), Send(OWNER, news)])
    _taken([*heard, Send(OWNER, news, "k"), Send(OWNER, CANCEL), Send(OWNER, news, "k")])


def test_a_store_that_says_no_after_the_write_is_found_out() -> None:
    broken = FailNextWrite(WriteFault.UNAVAILABLE, Moment.AFTER)
    with pytest.raises(Mismatch):
        _taken([Send(OWNER, CREATE), broken, Send(OWNER, FINISH), Send(OWNER, CANCEL)])


def test_steps_are_told_in_words() -> None:
    told = [str(step) for step in (FailNextWrite(WriteFault.DEATH), Tick(-3), Restart())]
    assert told == [
        "the next write comes to death before it is done",
        "the clock moves by -3 ms",
        "the service restarts",
    ]
    assert str(Send(Owner(OTHER), CANCEL, "k")) == (
        "agent:main:two sends CancelFlow(flow_id='flow-1') with the key k"
    )


class _Endless(PureDriver):
    def listed(
        self, owner: Owner, *, limit: int, status: str | None = None, cursor: object = None
    ) -> Listing:
        del cursor
        found = super().listed(owner, limit=limit, status=status)
        return Listing(found.flows, "more")


class _Twofaced(PureDriver):
    def find(self, owner: Owner, flow_id: FlowId) -> PlainView | None:
        seen = super().find(owner, flow_id)
        return None if seen is None else {**seen, "revision": len(self.events[flow_id]) * 3}


def _endless(clock: Clock, new_id: NewId) -> Driver:
    return _Endless(clock, new_id)


def _twofaced(clock: Clock, new_id: NewId) -> Driver:
    return _Twofaced(clock, new_id)


@pytest.mark.parametrize(
    ("factory", "told"),
    [
        (_endless, "the list never comes to its end"),
        (_twofaced, "flow-1, as agent:ops:one sees it, is not what the model says"),
    ],
)
def test_what_is_read_is_compared_too(factory: DriverFactory, told: str) -> None:
    with pytest.raises(Mismatch, match=told):
        replay(dump_steps([Send(OWNER, CREATE)]), factory)


def test_drivers_that_cannot_fail_say_so() -> None:
    failure = Failure(WriteFault.DEATH)
    trial = Trial(pure_core)
    assert not trial.can(Ability.FAILS)
    with pytest.raises(NotImplementedError, match="the pure core writes nothing"):
        trial.driver.fail(failure)
    with pytest.raises(NotImplementedError, match="a live gateway does not fail on demand"):
        HttpDriver({}).fail(failure)


def test_a_rule_that_brings_nothing_about_on_no_flow_is_a_fault_of_ours() -> None:
    trial = Trial(pure_core_with(lambda _flow, _issued: ()))
    with pytest.raises(AssertionError, match="a decision on no flow must create one"):
        trial.do(Send(OWNER, CREATE))


def test_answers_are_told_in_a_word_or_with_the_flow() -> None:
    assert str(Answer("not_found")) == "not_found"
    flow = {"status": "queued", "revision": 3}
    assert str(Answer("terminal", "why", flow)) == "terminal: queued at revision 3"


def test_a_command_means_nothing_where_there_is_nothing() -> None:
    aim = Target(flow=0, task=0, mutation=CommandMutation.NONE)
    assert retarget(Model(), Names(), CANCEL, aim) == (OWNER, CANCEL)


def _flow(name: FlowId, status: str) -> ModelFlow:
    return ModelFlow(
        flow_id=name,
        owner=Owner(OTHER),
        controller_id="c",
        goal="g",
        status=status,
        notify_policy="done_only",
        created_at=0,
        updated_at=0,
        latest_at=0,
        revision=4,
    )


@pytest.mark.parametrize(
    ("aim", "sent"),
    [
        (Target(0, 0, CommandMutation.NONE), (OTHER, "flow-2", 4)),
        (Target(10, 0, CommandMutation.NONE), (OTHER, "flow-1", 4)),
        (Target(0, 0, CommandMutation.OTHER_OWNER), (OWNER, "flow-2", 4)),
        (Target(0, 0, CommandMutation.STALE), (OTHER, "flow-2", 3)),
        (Target(0, 0, CommandMutation.AHEAD), (OTHER, "flow-2", 5)),
        (Target(0, 0, CommandMutation.NO_FLOW), (OTHER, "flow-none", 4)),
    ],
)
def test_a_command_means_what_goes_on_unless_it_strays(
    aim: Target, sent: tuple[str, str, int]
) -> None:
    flows = {
        FlowId(name): _flow(FlowId(name), word)
        for name, word in (("flow-1", "failed"), ("flow-2", "queued"))
    }
    owner, command = retarget(Model(flows=flows), Names(), FINISH, aim)
    assert isinstance(command, FinishFlow)
    assert (owner, command.flow_id, command.expected_revision) == sent
