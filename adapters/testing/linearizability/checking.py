"""Checks histories; of one that is not linearizable it shows the shortest such beginning."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic

from attrs import frozen

from adapters.testing.differences import difference, one_line
from adapters.testing.linearizability.history import C, K, Operation, R, partitioned, until
from adapters.testing.linearizability.search import Linearized, S, SequentialSpec, Stuck, linearize

_LAST = 5
"""How many calls of the order before the end are shown."""


class NotLinearizable(AssertionError):  # noqa: N818 - what was found
    """A history for which there is no order; the text shows the part that has none."""


@frozen
class Counterexample(Generic[S, C, R]):
    """The shortest beginning of a history that has no order, and how far one comes in it."""

    history: Sequence[Operation[C, R]]
    stuck: Stuck[S]
    step: SequentialSpec[S, C, R]

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterable[str]:
        order, state = self.stuck.order, self.stuck.state
        returned = sum(not operation.is_pending for operation in self.history)
        yield f"not linearizable from its response {returned} on"
        yield f"the longest order has {len(order)} calls" + (", at its end:" if order else "")
        for number in order[-_LAST:]:
            yield f"    {self.history[number]}"
        yield f"then it is {one_line(state)}"
        yield "and none of these can be next:"
        for number in self.stuck.candidates:
            yield from self._refused(self.history[number])

    def _refused(self, operation: Operation[C, R]) -> Iterable[str]:
        yield f"    {operation}"
        if operation.is_pending:
            return
        _, result = self.step(self.stuck.state, operation.call)
        for line in difference(result, operation.result).splitlines():
            yield f"      {line}"


def judge(
    history: Sequence[Operation[C, R]], step: SequentialSpec[S, C, R], initial: S
) -> Linearized[S] | Counterexample[S, C, R]:
    """Return an order of the calls on one object, or the shortest beginning that has none."""
    verdict = linearize(history, step, initial)
    if isinstance(verdict, Linearized):
        return verdict
    return _shortest(history, step, initial, stuck=verdict)


def _shortest(
    history: Sequence[Operation[C, R]],
    step: SequentialSpec[S, C, R],
    initial: S,
    *,
    stuck: Stuck[S],
) -> Counterexample[S, C, R]:
    """Search between the responses; what begins a linearizable history is linearizable."""
    moments = sorted({each.returned for each in history if each.returned is not None})

    def searched(moment: float) -> Linearized[S] | Stuck[S]:
        return linearize(until(history, moment), step, initial)

    at = bisect_left(moments, x=True, key=lambda moment: isinstance(searched(moment), Stuck))
    if at < len(moments) and isinstance(found := searched(moments[at]), Stuck):
        return Counterexample(until(history, moments[at]), found, step)
    return Counterexample(history, stuck, step)


def check_linearizable(
    history: Iterable[Operation[C, R]],
    step: SequentialSpec[S, C, R],
    initial: Callable[[K], S],
    *,
    key: Callable[[C], K],
) -> dict[K, Linearized[S]]:
    """Return an order for each object that calls were made on; `initial` is it at the start.

    Raises:
        NotLinearizable: if one of them has none; the text shows why.
        TooManyStates: if the search for one is given up.
    """
    orders: dict[K, Linearized[S]] = {}
    for each, part in partitioned(history, key).items():
        verdict: Any = judge(part, step, initial(each))
        if isinstance(verdict, Counterexample):
            raise NotLinearizable(f"{each}: {verdict}")
        orders[each] = verdict
    return orders
