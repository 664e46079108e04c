"""The search for an order: Wing and Gong's, with Lowe's memory of what was tried.

Theory: the next call in an order must have been invoked before any call that is still to come has
returned (else that one came first). So among the calls that are left, those invoked before the
first response are candidates, one is taken if the object answers in this state what was observed,
and taken back when the rest finds no order. Which calls were taken and which state they led to
decides all that follows, so each such pair is tried once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import pairwise
from typing import Final, Generic, TypeAlias, TypeVar

from attrs import frozen

from adapters.testing.linearizability.history import C, Operation, R

S = TypeVar("S", bound=Hashable)

SequentialSpec: TypeAlias = Callable[[S, C], tuple[S, R]]
"""A sequential object: what it is after a call, and what the call returns."""

MOST_STATES: Final = 2_000_000


class TooManyStates(Exception):  # noqa: N818 - what there were
    """The search was given up: it has tried more states than it may."""


@frozen
class Linearized(Generic[S]):
    """An order was found: the numbers of the calls in it, and the object after the last of them.

    Calls that never returned are in it only where they have had an effect.
    """

    order: tuple[int, ...]
    state: S


@frozen
class Stuck(Generic[S]):
    """There is no order. This is the longest one that was found, and what might have come next."""

    order: tuple[int, ...]
    state: S
    candidates: tuple[int, ...]


@frozen
class _Frame(Generic[S]):
    """A state on the way, and the calls that are still to be tried from it."""

    state: S
    untried: Iterator[int]


class _Search(Generic[S, C, R]):
    """The calls that are left: those that returned in a doubly linked list, and a set of bits."""

    def __init__(
        self, history: Sequence[Operation[C, R]], step: SequentialSpec[S, C, R], most_states: int
    ) -> None:
        self.history, self.step, self.most_states = history, step, most_states
        by_invocation = sorted(range(len(history)), key=lambda number: history[number].invoked)
        self.pending = [number for number in by_invocation if history[number].is_pending]
        returned = [number for number in by_invocation if not history[number].is_pending]
        self.head = len(history)
        ring = [self.head, *returned, self.head]
        self.after = dict(pairwise(ring))
        self.before = {later: earlier for earlier, later in pairwise(ring)}
        self.taken = 0
        self.tried: set[tuple[int, S]] = set()

    def run(self, initial: S) -> Linearized[S] | Stuck[S]:
        """Search depth first; what was taken last is taken back first."""
        order: list[int] = []
        best = Stuck((), initial, self.candidates())
        frames = [_Frame(initial, iter(best.candidates))]
        while self.after[self.head] != self.head:
            found = self.advance(frames[-1])
            if found is not None:
                number, state = found
                self.take(number)
                order.append(number)
                candidates = self.candidates()
                frames.append(_Frame(state, iter(candidates)))
                if len(order) > len(best.order):
                    best = Stuck(tuple(order), state, candidates)
            elif order:
                frames.pop()
                self.put_back(order.pop())
            else:
                return best
        return Linearized(tuple(order), frames[-1].state)

    def advance(self, frame: _Frame[S]) -> tuple[int, S] | None:
        """Return the next call that can follow a state in a way that was not tried, and to what."""
        for number in frame.untried:
            operation = self.history[number]
            state, result = self.step(frame.state, operation.call)
            # A call that never returned may not have happened: it matters only by its effect.
            fits = state != frame.state if operation.is_pending else result == operation.result
            if fits and self.is_new(self.taken | 1 << number, state):
                return number, state
        return None

    def is_new(self, taken: int, state: S) -> bool:
        """Say whether it is new that these calls lead to this state, and remember it."""
        known = len(self.tried)
        if known >= self.most_states:
            raise TooManyStates(f"no order was found among the first {known} states")
        self.tried.add((taken, state))
        return len(self.tried) > known

    def candidates(self) -> tuple[int, ...]:
        """Return the calls that may come next: invoked before any that is left had returned."""
        found: list[int] = []
        first_return = math.inf
        number = self.after[self.head]
        while number != self.head and self.history[number].invoked <= first_return:
            found.append(number)
            first_return = min(first_return, _end(self.history[number]))
            number = self.after[number]
        for number in self.pending:
            if self.history[number].invoked > first_return:
                break
            if not self.taken >> number & 1:
                found.append(number)
        return tuple(found)

    def take(self, number: int) -> None:
        """Take a call out of those that are left."""
        self.taken |= 1 << number
        if number in self.after:
            self.after[self.before[number]] = self.after[number]
            self.before[self.after[number]] = self.before[number]

    def put_back(self, number: int) -> None:
        """Put the call that was taken last back where it was."""
        self.taken ^= 1 << number
        if number in self.after:
            self.after[self.before[number]] = number
            self.before[self.after[number]] = number


def _end(operation: Operation[C, R]) -> float:
    return math.inf if operation.returned is None else operation.returned


def linearize(
    history: Sequence[Operation[C, R]],
    step: SequentialSpec[S, C, R],
    initial: S,
    *,
    most_states: int = MOST_STATES,
) -> Linearized[S] | Stuck[S]:
    """Look for an order of the calls on one object in which each returns what was observed.

    Raises:
        TooManyStates: if the search has tried `most_states` states without an end.
    """
    return _Search(history, step, most_states).run(initial)
