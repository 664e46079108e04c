"""An oracle for small histories: every order of every choice of calls, tried one by one."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import combinations, permutations
from typing import TypeAlias, TypeVar

from adapters.testing.linearizability import Operation, SequentialSpec

S = TypeVar("S", bound=Hashable)
Word: TypeAlias = int


def has_an_order(
    history: Sequence[Operation[Word, Word]], step: SequentialSpec[S, Word, Word], initial: S
) -> bool:
    """Say whether the calls, with any of those that never returned, have an order."""
    return any(
        is_in_time(order) and is_true(order, step, initial)
        for chosen in _choices(history)
        for order in permutations(chosen)
    )


def _choices(
    history: Sequence[Operation[Word, Word]],
) -> Iterator[list[Operation[Word, Word]]]:
    returned = [operation for operation in history if operation.returned is not None]
    pending = [operation for operation in history if operation.returned is None]
    for size in range(len(pending) + 1):
        for happened in combinations(pending, size):
            yield [*returned, *happened]


def is_in_time(order: Sequence[Operation[Word, Word]]) -> bool:
    """Say whether no call stands before one that had returned before it was made."""
    return not any(
        later.returned is not None and later.returned < earlier.invoked
        for number, earlier in enumerate(order)
        for later in order[number:]
    )


def is_true(
    order: Sequence[Operation[Word, Word]], step: SequentialSpec[S, Word, Word], state: S
) -> bool:
    """Say whether an object that is called in this order returns what was observed."""
    for operation in order:
        state, result = step(state, operation.call)
        if operation.returned is not None and result != operation.result:
            return False
    return True
