"""How much is measured: the sizes of the store, the rounds, the connections."""

from __future__ import annotations

from typing import Final

from attrs import frozen

SLOWER_MS: Final = 2
"""What each sync takes longer on the slowed disk, in milliseconds."""


@frozen(kw_only=True)
class Sizes:
    """How large the large things of the store are; the small ones have 1 event or 10 flows."""

    events: int = 10_000
    flows: int = 100_000
    page: int = 1_000


@frozen(kw_only=True)
class Plan:
    """One run of the benchmark.

    Each of `rounds` rounds measures every operation for `seconds`, at each number of connections
    and on each disk, between two looks at the ceiling. `requests` have been served before the
    gateway's memory is read. The gateway is started `starts` times for the time that it takes.
    """

    sizes: Sizes = Sizes()
    connections: tuple[int, ...] = (1, 4, 8, 16)
    rounds: int = 5
    seconds: float = 0.3
    requests: int = 50_000
    starts: int = 5


FULL: Final = Plan()
QUICK: Final = Plan(
    sizes=Sizes(events=1_000, flows=10_000), rounds=2, seconds=0.12, requests=5_000, starts=2
)
