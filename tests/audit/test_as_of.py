from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.flow.evolve import fold
from domain.history.as_of import AtRevision, AtTime, AtVersion, Point, parse_point, transition_at
from domain.history.transitions import Transition
from tests.audit.histories import any_steps, orderly_steps
from tests.core.examples import EXAMPLES

TEN = 1_795_687_200_000
"""2026-11-26T10:00:00Z"""


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("7", AtVersion(7)),
        ("r3", AtRevision(3)),
        ("r0", AtRevision(0)),
        ("2026-11-26T10:00:00Z", AtTime(TEN)),
        ("2026-11-26T10:00:00.250Z", AtTime(TEN + 250)),
        ("2026-11-26T10:00:00.0019Z", AtTime(TEN + 1)),
        ("2026-11-26T11:00:00+01:00", AtTime(TEN)),
        ("2026-11-26T10:00", AtTime(TEN)),
        ("2026-11-26", AtTime(TEN - 36_000_000)),
        ("1969-12-31T23:59:59.999Z", AtTime(-1)),
    ],
)
def test_a_point_is_a_version_a_revision_or_a_time(text: str, point: Point) -> None:
    assert parse_point(text) == point


@pytest.mark.parametrize(
    "text",
    ["", "-1", "7.0", "r", "r-1", "R3", "v7", "\u0667", "9" * 19, "2026-13-01", "noon", "r\u0663"],
)
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"^expected a version \(7\), a revision \(r3\) or a time"):
        parse_point(text)


@EXAMPLES
@given(any_steps)
def test_a_flow_at_a_version_is_a_fold_of_the_first_events(history: tuple[Transition, ...]) -> None:
    events = [step.record.event for step in history]
    for version in range(1, len(history) + 1):
        assert flow_at(history, AtVersion(version)) == fold(None, events[:version])
    assert transition_at(history, AtVersion(0)) is None
    assert transition_at(history, AtVersion(len(history) + 1)) is None


@EXAMPLES
@given(any_steps)
def test_a_revision_stands_for_its_last_event(history: tuple[Transition, ...]) -> None:
    last = {step.after.revision: step for step in history}
    for revision in range(history[-1].after.revision + 1):
        assert transition_at(history, AtRevision(revision)) == last[revision]
    assert transition_at(history, AtRevision(len(last))) is None


@EXAMPLES
@given(orderly_steps, st.integers(-1, 60))
def test_a_flow_at_a_time_is_a_fold_of_the_events_until_then(
    history: tuple[Transition, ...], at: int
) -> None:
    events = [step.record.event for step in history]
    until = [event for event in events if event.at <= at]
    assert flow_at(history, AtTime(at)) == fold(None, until)


def flow_at(history: tuple[Transition, ...], point: Point) -> object:
    step = transition_at(history, point)
    return None if step is None else step.after
