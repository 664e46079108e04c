"""A child is given up for silence that was listened to, whatever the clocks do."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.application.listening import ClockReading, ListeningPace, ListeningPeriod
from domain.flow.status import FlowStatus
from tests.core.listening_world import EPOCH, Beat, ListeningWorld

DEFAULT = ListeningPace(stale_after=300_000, sweep_every=20_000)
SMALL = ListeningPace(stale_after=1_000, sweep_every=200)
SELDOM = ListeningPace(stale_after=2_000, sweep_every=20_000)
LEAST = ListeningPace(stale_after=100, sweep_every=86_400_000)
OFTEN = ListeningPace(stale_after=31_536_000_000, sweep_every=100)
PACES = (DEFAULT, SMALL, SELDOM)
CENTURY = 10**10
"""In thousandths of a second's silence: far ahead, whatever the pace."""

stops = st.sampled_from([0] * 6 + [1, 90, 150, 400, 499, 501, 700, 1_001, 5_000])
steps = st.sampled_from([0] * 6 + [1, -1, 90, -90, 400, -400, 900, -900, 10**6, -(10**6), CENTURY])
beats = st.builds(
    Beat,
    stop=stops,
    suspend=stops,
    step=steps,
    restart=st.sampled_from([False] * 9 + [True]),
    report=st.sampled_from([False] * 5 + [True]),
)


def quiet(world: ListeningWorld, number: int) -> None:
    """Let some beats pass in which nothing happens."""
    for _ in range(number):
        world.live(Beat())


@given(st.sampled_from(PACES), st.lists(beats, max_size=60))
def test_no_child_is_given_up_that_had_less_time_than_it_is_promised(
    pace: ListeningPace, happenings: Iterable[Beat]
) -> None:
    """Each stop of the process may cost a child one beat, a fifth of its time at most."""
    world = ListeningWorld(pace)
    for beat in happenings:
        world.live(beat)
        if world.is_lost:
            had = world.listened - world.due_from
            assert had >= pace.stale_after - pace.beat * world.stops
            return


@given(st.sampled_from(PACES), st.lists(beats, max_size=30))
def test_a_silent_child_is_given_up_in_the_end_whatever_the_clocks_did(
    pace: ListeningPace, happenings: Iterable[Beat]
) -> None:
    """At most two periods later: one in which its news was from the future, and the next."""
    world = ListeningWorld(pace)
    for beat in happenings:
        world.live(beat)
    quiet(world, 2 * (pace.beats + 1 + pace.looks_per_sweep))
    assert world.is_lost
    assert world.flow.status is FlowStatus.CANCELLED


@pytest.mark.parametrize("pace", PACES)
def test_a_silent_child_is_given_up_one_sweep_after_its_time_as_long_as_nothing_happens(
    pace: ListeningPace,
) -> None:
    world = ListeningWorld(pace)
    quiet(world, 2 * pace.beats)
    if not world.is_lost:  # where sweeps are seldom
        quiet(world, pace.looks_per_sweep)
    world = ListeningWorld(pace)
    quiet(world, 3)
    world.live(Beat(report=True))
    while not world.is_lost:
        quiet(world, 1)
    assert world.listened - world.due_from >= pace.stale_after
    assert world.listened - world.due_from <= pace.stale_after + pace.sweep_every + 2 * pace.beat


def test_a_child_that_was_silent_before_a_long_stop_has_all_its_time_after_it() -> None:
    world = ListeningWorld(DEFAULT)
    quiet(world, 14)
    world.live(Beat(stop=1_001))
    assert not world.is_lost
    quiet(world, 14)
    assert not world.is_lost


def test_a_report_that_waits_while_the_process_is_stopped_is_waited_for() -> None:
    world = ListeningWorld(DEFAULT)
    quiet(world, 14)
    world.live(Beat(stop=400, report=True))
    assert not world.is_lost


@pytest.mark.parametrize("step", [10**6, -(10**6), CENTURY])
def test_a_step_of_the_wall_clock_costs_no_child_its_time_and_ends_in_one_more_period(
    step: int,
) -> None:
    world = ListeningWorld(DEFAULT)
    quiet(world, 14)
    world.live(Beat(step=step))
    quiet(world, 14)
    assert not world.is_lost
    quiet(world, 2)
    assert world.is_lost


def test_news_is_not_stale_because_the_clock_was_a_little_ahead_before_it() -> None:
    """A step that is too small to begin a new period: back by two fifths of one."""
    world = ListeningWorld(DEFAULT)
    quiet(world, 10)
    world.live(Beat(step=-400, report=True))
    quiet(world, 14)
    assert not world.is_lost
    quiet(world, 8)
    assert world.is_lost


def test_a_clock_that_was_ahead_leaves_no_cancellation_pending_for_ever() -> None:
    """News from 2099 counts as heard when it was seen first; reports begin it anew."""
    world = ListeningWorld(DEFAULT)
    world.live(Beat(step=CENTURY, report=True))
    world.live(Beat(step=-CENTURY))
    ahead = world.flow.latest_at
    for _ in range(3):
        quiet(world, 14)
        assert not world.is_lost
        world.live(Beat(report=True))
    assert world.flow.latest_at == ahead, "no moment tells that there was news"
    quiet(world, 17)
    assert world.is_lost


def test_a_suspended_host_did_not_listen() -> None:
    world = ListeningWorld(DEFAULT)
    quiet(world, 14)
    world.live(Beat(suspend=5_000))
    quiet(world, 14)
    assert not world.is_lost


def test_a_gateway_that_starts_knows_of_no_silence_before() -> None:
    world = ListeningWorld(DEFAULT)
    quiet(world, 14)
    world.live(Beat(stop=5_000, restart=True))
    quiet(world, 13)
    assert not world.is_lost


def test_a_busy_machine_delays_the_end_of_a_cancellation_and_does_not_prevent_it() -> None:
    """Every other look comes so late that it does not count; none later than half a period."""
    world = ListeningWorld(SMALL)
    for _ in range(6):
        world.live(Beat(stop=450))
        world.live(Beat())
    assert world.is_lost


@pytest.mark.parametrize("pace", [*PACES, LEAST, OFTEN])
def test_a_pace_is_one_that_can_be_kept(pace: ListeningPace) -> None:
    assert 5 <= pace.beats <= 10_001
    assert pace.beats * pace.beat >= pace.stale_after
    assert pace.beat <= max(pace.sweep_every, pace.stale_after // 10_000)
    assert pace.beat * pace.looks_per_sweep <= pace.sweep_every or pace is OFTEN


def test_a_look_that_comes_too_early_is_none() -> None:
    period = ListeningPeriod.begin(SMALL, ClockReading(wall=EPOCH, monotonic=0))
    early = ClockReading(wall=EPOCH + 199, monotonic=199)
    assert period.look(early) == period


def test_a_child_that_is_linked_as_one_long_silent_is_not_listened_for() -> None:
    """As recorded from the reference; unless it was linked before this period began."""
    world = ListeningWorld(DEFAULT, last_event_at=1)
    quiet(world, 1)
    assert world.is_lost
    world = ListeningWorld(DEFAULT, last_event_at=1)
    world.live(Beat(restart=True))
    quiet(world, 13)
    assert not world.is_lost
    quiet(world, 1)
    assert world.is_lost
