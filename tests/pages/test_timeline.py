from __future__ import annotations

import pytest

from adapters.pages.scale import Break, scale
from adapters.pages.timeline import LANES, Timeline, timeline
from domain.application.recorded_events import Actor, ActorKind, CommandMetadata, to_recorded_events
from domain.flow.commands import (
    Command,
    CommandContext,
    CreateFlow,
    ResumeFlow,
    RunTask,
    SetWaiting,
)
from domain.flow.decide import decide
from domain.flow.events import Event
from domain.flow.evolve import evolve
from domain.flow.ids import FlowId, Owner, RequestId
from domain.flow.status import Runtime
from domain.history.transitions import Transition, transitions

ORIGIN = CommandMetadata(actor=Actor(kind=ActorKind.SYSTEM, name="test"), request_id=RequestId("r"))


def lived(*commands: tuple[int, Command]) -> tuple[Transition, ...]:
    """Return the steps of a flow that gets some commands, each at a moment."""
    flow, events = None, list[Event]()
    for number, (at, command) in enumerate(commands):
        context = CommandContext(command=command, owner=Owner("o"), at=at, new_id=f"id-{number}")
        decision = decide(flow, context)
        assert isinstance(decision, tuple), decision
        for event in decision:
            flow = evolve(flow, event)
        events.extend(decision)
    return tuple(
        transitions(
            to_recorded_events(tuple(events), flow_id=FlowId("id-0"), after=0, origin=ORIGIN, now=0)
        )
    )


def drawn(*commands: tuple[int, Command]) -> Timeline:
    """Return the timeline of such a flow, as it is at the end."""
    lives = lived(*commands)
    return timeline(lives, ["event"] * len(lives), lives[-1])


CREATE = CreateFlow(goal="g", controller_id="c")


def wait(revision: int) -> Command:
    """Return the command that lets the flow wait, or go on again."""
    if revision % 2:
        return ResumeFlow(flow_id=FlowId("id-0"), expected_revision=revision)
    return SetWaiting(flow_id=FlowId("id-0"), expected_revision=revision)


def test_one_event_is_one_mark_and_one_band() -> None:
    line = drawn((5, CREATE))
    assert [(mark.left, mark.version, mark.count) for mark in line.marks] == [(1.0, 1, 1)]
    assert [(band.left, band.width, band.word) for band in line.bands] == [(1.0, 99.0, "queued")]
    assert line.summary == "1 event and 0 tasks; the flow is queued."


def test_events_of_one_moment_are_one_mark() -> None:
    line = drawn((5, CREATE), (5, wait(0)), (5, wait(1)))
    assert [(mark.version, mark.count) for mark in line.marks] == [(3, 3)]
    assert [band.word for band in line.bands] == ["mixed", "queued"]


@pytest.mark.parametrize("events", [2, 50, 2_000])
def test_a_timeline_stays_small_and_within_its_frame(events: int) -> None:
    moments = ((7 * n * n, wait(n - 1) if n else CREATE) for n in range(events))
    line = drawn(*moments)
    assert len(line.marks) <= 121
    assert len(line.bands) <= 2 * 121
    assert sum(mark.count for mark in line.marks) == events
    assert all(0 <= band.left <= band.left + band.width <= 100 for band in line.bands)
    assert [mark.left for mark in line.marks] == sorted(mark.left for mark in line.marks)


def test_a_flow_of_many_tasks_draws_the_last_ones() -> None:
    runs = (
        (n, RunTask(flow_id=FlowId("id-0"), runtime=Runtime.ACP, task=f"task {n}", run_id=f"{n}"))
        for n in range(1, LANES + 4)
    )
    line = drawn((0, CREATE), *runs)
    assert (len(line.lanes), line.lanes_left_out) == (LANES, 3)
    assert line.lanes[0].name == "task 4"


def test_a_long_silence_is_drawn_shorter_and_marked() -> None:
    usual, days = 10, 86_400_000
    line = scale([0, 10, 20, 30, days])
    assert line.breaks == (Break(pytest.approx(0.6, abs=0.01), days - 30),)  # type: ignore[arg-type] # pytest's
    assert [round(line.place(at), 2) for at in (0, usual, 30, days)] == [0.0, 0.07, 0.2, 1.0]


def test_an_even_line_has_no_breaks() -> None:
    line = scale(range(0, 101, 10))
    assert (line.breaks, line.place(25), line.place(-5), line.place(500)) == ((), 0.25, 0.0, 1.0)
