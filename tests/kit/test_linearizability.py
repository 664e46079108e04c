"""Histories of concurrent calls: those that have an order, and those that have none."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.testing.linearizability import (
    Counterexample,
    Linearized,
    NotLinearizable,
    Operation,
    SequentialSpec,
    Stuck,
    TooManyStates,
    check_linearizable,
    judge,
    linearize,
)
from adapters.testing.linearizability.history import until
from tests.kit.brute_force import has_an_order, is_in_time, is_true

Part: TypeAlias = list[Operation[int, int]]
EXAMPLES = settings(max_examples=400, deadline=None, database=None)

READ, WRITE_1, WRITE_2 = 0, 1, 2
DONE = -1


def register(state: int, call: int) -> tuple[int, int]:
    """Read a register, or write the number that the call is."""
    return (state, state) if call == READ else (call, DONE)


def counter(state: int, call: int) -> tuple[int, int]:
    """Add to a counter, and tell what it was."""
    return state + call, state


def did(
    call: int, invoked: float, returned: float | None, result: int = DONE
) -> Operation[int, int]:
    """Return a call on a register or counter."""
    return Operation(call, invoked, returned, None if returned is None else result)


ORDERED = {
    "nothing": [],
    "one read": [did(READ, 0, 1, 0)],
    "a write and then a read": [did(WRITE_1, 0, 1), did(READ, 2, 3, 1)],
    "a read during a write sees the old": [did(WRITE_1, 0, 9), did(READ, 1, 2, 0)],
    "a read during a write sees the new": [did(WRITE_1, 0, 9), did(READ, 1, 2, 1)],
    "two reads during a write see old and new": [
        did(WRITE_1, 0, 9),
        did(READ, 1, 2, 0),
        did(READ, 3, 4, 1),
    ],
    "a write that never returned was seen": [did(WRITE_1, 0, None), did(READ, 5, 6, 1)],
    "a write that never returned never happened": [did(WRITE_1, 0, None), did(READ, 5, 6, 0)],
    "a write that never returned happened late": [
        did(WRITE_1, 0, None),
        did(READ, 5, 6, 0),
        did(WRITE_2, 7, 8),
        did(READ, 9, 10, 1),
    ],
    "the response of one is the invocation of the other": [
        did(READ, 0, 1, 1),
        did(WRITE_1, 1, 2),
    ],
}
UNORDERED = {
    "a read of what nobody wrote": [did(READ, 0, 1, 1)],
    "a read of the old after a write": [did(WRITE_1, 0, 1), did(READ, 2, 3, 0)],
    "new and then old during a write": [
        did(WRITE_1, 0, 9),
        did(READ, 1, 2, 1),
        did(READ, 3, 4, 0),
    ],
    "a write that never returned was seen before it was made": [
        did(READ, 0, 1, 1),
        did(WRITE_1, 2, None),
    ],
    "a write that never returned happened twice": [
        did(WRITE_1, 0, None),
        did(READ, 1, 2, 1),
        did(WRITE_2, 3, 4),
        did(READ, 5, 6, 1),
    ],
}


@pytest.mark.parametrize("history", ORDERED.values(), ids=ORDERED)
def test_a_history_with_an_order_is_linearizable(history: Part) -> None:
    assert isinstance(linearize(history, register, 0), Linearized)


@pytest.mark.parametrize("history", UNORDERED.values(), ids=UNORDERED)
def test_a_history_without_an_order_is_not(history: Part) -> None:
    assert isinstance(linearize(history, register, 0), Stuck)


@st.composite
def histories(draw: st.DrawFn) -> Part:
    """Return up to five calls, some of which never returned, with results of any kind."""
    made = st.tuples(st.integers(0, 2), st.integers(0, 8), st.integers(0, 4), st.integers(-1, 2))
    pending = draw(st.sampled_from([0, 1, 2]))
    return [
        did(call, invoked, None if number < pending else invoked + took, result)
        for number, (call, invoked, took, result) in enumerate(draw(st.lists(made, max_size=5)))
    ]


@st.composite
def objects(draw: st.DrawFn) -> SequentialSpec[int, int, int]:
    """Return any object with three states, three calls and three results: a table."""
    cell = st.tuples(st.integers(0, 2), st.integers(-1, 1))
    table: Mapping[tuple[int, int], tuple[int, int]] = {
        (state, call): draw(cell) for state in range(3) for call in range(3)
    }
    return lambda state, call: table[state, call]


def _agrees(history: Part, step: SequentialSpec[int, int, int]) -> None:
    verdict = linearize(history, step, 0)
    assert isinstance(verdict, Linearized) is has_an_order(history, step, 0)
    if isinstance(verdict, Linearized):
        order = [history[number] for number in verdict.order]
        assert is_in_time(order)
        assert is_true(order, step, 0)
        assert {id(one) for one in history if one.returned is not None} <= {*map(id, order)}


@EXAMPLES
@given(histories(), st.sampled_from([register, counter]))
def test_registers_and_counters_are_judged_as_by_trying_all_orders(
    history: Part, step: SequentialSpec[int, int, int]
) -> None:
    _agrees(history, step)


@EXAMPLES
@given(histories(), objects())
def test_any_object_is_judged_as_by_trying_all_orders(
    history: Part, step: SequentialSpec[int, int, int]
) -> None:
    _agrees(history, step)


@EXAMPLES
@given(histories(), objects())
def test_a_counterexample_is_the_shortest_beginning_that_fails(
    history: Part, step: SequentialSpec[int, int, int]
) -> None:
    verdict = judge(history, step, 0)
    if isinstance(verdict, Counterexample):
        returned = sorted(one.returned for one in verdict.history if one.returned is not None)
        assert not has_an_order(verdict.history, step, 0)
        shorter = until(verdict.history, returned[-1] - 0.5)
        assert has_an_order(shorter, step, 0)


def _run(seed: int, calls: int) -> list[Operation[int, int]]:
    """Return overlapping calls on a counter, each of which happens at its number."""
    source = random.Random(seed)  # noqa: S311 - a test's choices
    return [
        did(1, moment - source.random() * 4, moment + source.random() * 4, moment)
        for moment in range(calls)
    ]


def test_a_long_history_is_judged_soon() -> None:
    history = _run(7, 3_000)
    verdict = linearize(history, counter, 0)
    assert isinstance(verdict, Linearized)
    assert verdict.state == 3_000


def test_a_lie_in_a_long_history_is_shown_where_it_was_told() -> None:
    history = _run(7, 500)
    history[250] = did(1, history[250].invoked, history[250].returned, 3)
    verdict = judge(history, counter, 0)
    assert isinstance(verdict, Counterexample)
    told = str(verdict)
    assert len(verdict.history) < 280
    assert f"{history[250]}" in told
    assert "and none of these can be next:" in told


def test_parts_are_judged_by_themselves_and_the_one_that_fails_is_named() -> None:
    def keyed(state: int, call: tuple[str, int]) -> tuple[int, int]:
        return register(state, call[1])

    def on(key: str, one: Operation[int, int]) -> Operation[tuple[str, int], int]:
        return Operation((key, one.call), one.invoked, one.returned, one.result)

    sound = [on("sound", one) for one in ORDERED["two reads during a write see old and new"]]
    broken = [on("broken", one) for one in UNORDERED["a read of the old after a write"]]
    orders = check_linearizable(sound, keyed, lambda _: 0, key=lambda call: call[0])
    assert orders == {"sound": Linearized((1, 0, 2), 1)}
    with pytest.raises(NotLinearizable) as failure:
        check_linearizable([*sound, *broken], keyed, lambda _: 0, key=lambda call: call[0])
    assert str(failure.value).splitlines() == [
        "broken: not linearizable from its response 2 on",
        "the longest order has 1 calls, at its end:",
        "    0 - 1: ('broken', 1) -> -1",
        "then it is 1",
        "and none of these can be next:",
        "    2 - 3: ('broken', 0) -> 0",
        "      - 1",
        "      + 0",
    ]


def test_calls_that_fit_and_calls_without_an_answer_are_shown_as_such() -> None:
    verdict = judge([did(WRITE_1, 0, None), did(READ, 0, 3, 0), did(READ, 1, 2, 2)], register, 0)
    assert str(verdict).splitlines() == [
        "not linearizable from its response 1 on",
        "the longest order has 1 calls, at its end:",
        "    0 - ...: 1 -> ?",
        "then it is 1",
        "and none of these can be next:",
        "    1 - 2: 0 -> 2",
        "      - 1",
        "      + 2",
        "    0 - ...: 0 -> ?",
    ]


def test_a_search_that_leads_nowhere_is_given_up() -> None:
    def forgetful(state: int, call: int) -> tuple[int, int]:
        return (state * 31 + call) % 10_007, DONE

    history: Sequence[Operation[int, int]] = [did(number, 0, 99) for number in range(12)]
    lie = did(0, 100, 101, result=5)
    with pytest.raises(TooManyStates, match="the first 500 states"):
        linearize([*history, lie], forgetful, 0, most_states=500)
