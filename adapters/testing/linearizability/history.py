"""Concurrent calls as they were observed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Generic, TypeVar

from attrs import frozen

C = TypeVar("C")
R = TypeVar("R")
K = TypeVar("K", bound=Hashable)


@frozen
class Operation(Generic[C, R]):
    """A call, when it was made, and what it returned when: by one clock, in any unit.

    `returned` is None for a call whose response was never seen: it may have happened at any time
    since, may still happen, or never.
    """

    call: C
    invoked: float
    returned: float | None = None
    result: R | None = None

    @property
    def is_pending(self) -> bool:
        """Whether its response was never seen."""
        return self.returned is None

    def __str__(self) -> str:
        result = "?" if self.is_pending else f"{self.result}"
        end = "..." if self.returned is None else f"{self.returned:g}"
        return f"{self.invoked:g} - {end}: {self.call} -> {result}"


def partitioned(
    history: Iterable[Operation[C, R]], key: Callable[[C], K]
) -> dict[K, list[Operation[C, R]]]:
    """Return a history in parts, each of the calls on one object."""
    parts: dict[K, list[Operation[C, R]]] = {}
    for operation in history:
        parts.setdefault(key(operation.call), []).append(operation)
    return parts


def until(history: Sequence[Operation[C, R]], moment: float) -> list[Operation[C, R]]:
    """Return a history as it looked at a moment: what had not returned by then is pending."""
    return [
        operation
        if operation.returned is not None and operation.returned <= moment
        else Operation(operation.call, operation.invoked)
        for operation in history
        if operation.invoked <= moment
    ]
