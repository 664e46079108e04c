"""How much is measured: the sizes of the store, the rounds, the connections."""

from __future__ import annotations

from typing import Final

from attrs import evolve, frozen

SLOWER_MS: Final = 2
"""What each sync takes longer on the slowed disk, in milliseconds."""


@frozen(kw_only=True)
class Sizes:
    """How large the large things of the store are; the small ones have 1 event or 10 flows.

    Children are given to `parents` flows, so many to each, and to `fresh` flows that had none.
    """

    events: int = 10_000
    flows: int = 100_000
    page: int = 1_000
    fresh: int = 3_000
    parents: int = 8
    children: int = 1_000


@frozen(kw_only=True)
class Plan:
    """One run of the benchmark.

    Each of `rounds` rounds measures every operation for `seconds`, at each number of connections:
    on each disk between two looks at the ceiling, and beside the reference, if `peer`, in turn.
    `requests` have been served before the gateway's memory is read. The gateway is started
    `starts` times for the time that it takes.
    """

    sizes: Sizes = Sizes()
    connections: tuple[int, ...] = (1, 4, 16)
    rounds: int = 3
    seconds: float = 0.4
    requests: int = 50_000
    starts: int = 5
    peer: bool = True


FULL: Final = Plan()
LONG: Final = evolve(FULL, rounds=9, seconds=1.0)
QUICK: Final = Plan(
    sizes=Sizes(events=1_000, flows=10_000, fresh=500, children=100),
    rounds=2,
    seconds=0.12,
    requests=5_000,
    starts=2,
)
