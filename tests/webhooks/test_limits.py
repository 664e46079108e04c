"""How much one client may ask: exactly so much, whoever asks at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from attrs import define

from adapters.webhooks.limits import InFlight, RateLimiter
from domain.application.limits import Limits

KEY = ("zapier", "192.0.2.1")
OTHER = ("zapier", "192.0.2.2")
DEFAULT = Limits()


@define
class Clock:
    """A clock that stands still."""

    now: float = 1000.0

    def __call__(self) -> float:
        """Return the moment that a test has set."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Yielding(int):
    """A limit that lets another thread run whenever something is compared with it."""

    def __le__(self, other: int, /) -> bool:
        """Compare, after all others had their turn."""
        time.sleep(0)
        return int(self) <= other


def hammer(work: Callable[[], object], *, times: int, threads: int = 8) -> list[object]:
    """Do the same work many times from some threads at once."""

    def share(_: int) -> list[object]:
        return [work() for _ in range(times // threads)]

    with ThreadPoolExecutor(threads) as pool:
        return [result for results in pool.map(share, range(threads)) for result in results]


def test_the_121st_request_of_a_minute_waits(clock: Clock) -> None:
    limiter = RateLimiter(clock)
    assert [limiter.hit(KEY, DEFAULT) for _ in range(122)] == [0] * 120 + [60, 60]


def test_a_window_opens_again_a_minute_after_its_first_request(clock: Clock) -> None:
    limiter, limits = RateLimiter(clock), Limits(rate_requests=2)
    assert limiter.hit(KEY, limits) == 0
    clock.now += 59.0
    assert [limiter.hit(KEY, limits), limiter.hit(KEY, limits)] == [0, 1]
    clock.now += 0.5
    assert limiter.hit(KEY, limits) == 1
    clock.now += 0.5
    assert [limiter.hit(KEY, limits) for _ in range(3)] == [0, 0, 60]


def test_each_key_has_its_own_window(clock: Clock) -> None:
    limiter, limits = RateLimiter(clock), Limits(rate_requests=1)
    assert [limiter.hit(KEY, limits), limiter.hit(OTHER, limits)] == [0, 0]
    assert [limiter.hit(KEY, limits), limiter.hit(OTHER, limits)] == [60, 60]


def test_sprayed_keys_push_out_the_oldest_window_only(clock: Clock) -> None:
    limiter, limits = RateLimiter(clock, tracked_keys=3), Limits(rate_requests=2)
    keys = [("zapier", str(i)) for i in range(4)]
    assert [limiter.hit(key, limits) for key in keys] == [0, 0, 0, 0]
    assert [limiter.hit(key, limits) for key in keys[1:] * 2] == [0, 0, 0, 60, 60, 60]


def test_no_number_of_other_clients_opens_an_exhausted_window(clock: Clock) -> None:
    limiter, limits = RateLimiter(clock, tracked_keys=100), Limits(rate_requests=2)
    limiter.hit(KEY, limits)
    limiter.hit(KEY, limits)
    for i in range(5_000):
        assert limiter.hit(("zapier", str(i)), limits) == 0
    assert limiter.hit(KEY, limits) == 60
    clock.now += 60
    assert limiter.hit(KEY, limits) == 0


def test_where_all_windows_are_exhausted_another_client_waits_for_the_first_to_end(
    clock: Clock,
) -> None:
    limiter, long = RateLimiter(clock, tracked_keys=2), Limits(rate_requests=1)
    short = Limits(rate_requests=1, rate_window_seconds=20.0)
    assert [limiter.hit(KEY, long), limiter.hit(OTHER, short)] == [0, 0]
    new, newer = ("zapier", "new"), ("zapier", "newer")
    assert limiter.hit(new, long) == 20
    clock.now += 19.5
    asked = [(new, long), (KEY, long), (OTHER, short)]
    assert [limiter.hit(*each) for each in asked] == [1, 41, 1]
    clock.now += 0.5
    assert [limiter.hit(key, long) for key in (new, newer, KEY)] == [0, 40, 40]


def test_limits_may_change_while_a_window_lasts(clock: Clock) -> None:
    limiter = RateLimiter(clock)
    asked = [limiter.hit(KEY, Limits(rate_requests=most)) for most in (1, 1, 3, 3, 3, 1)]
    assert asked == [0, 60, 0, 0, 60, 60]


def test_an_exhausted_window_ends_by_the_limits_of_now(clock: Clock) -> None:
    limiter, long = RateLimiter(clock), Limits(rate_requests=1, rate_window_seconds=86_400)
    assert [limiter.hit(KEY, long) for _ in range(2)] == [0, 86_400]
    clock.now += 20
    short = Limits(rate_requests=1)
    assert limiter.hit(KEY, short) == 40
    clock.now += 40
    assert [limiter.hit(KEY, short) for _ in range(2)] == [0, 60]


def test_a_window_that_larger_limits_open_again_may_be_forgotten(clock: Clock) -> None:
    limiter, larger = RateLimiter(clock, tracked_keys=1), Limits(rate_requests=3)
    assert limiter.hit(KEY, Limits(rate_requests=1)) == 0
    assert limiter.hit(OTHER, larger) == 60
    assert [limiter.hit(key, larger) for key in (KEY, OTHER)] == [0, 0]


def test_a_window_that_began_anew_is_no_longer_the_oldest(clock: Clock) -> None:
    limiter, limits = RateLimiter(clock, tracked_keys=3), Limits(rate_requests=2)
    limiter.hit(KEY, limits)
    clock.now += 30
    limiter.hit(OTHER, limits)
    clock.now += 30
    for key in (KEY, ("zapier", "new"), ("zapier", "newer")):
        assert limiter.hit(key, limits) == 0
    assert [limiter.hit(KEY, limits) for _ in range(2)] == [0, 60]
    assert [limiter.hit(OTHER, limits) for _ in range(2)] == [0, 0]


def test_of_many_requests_at_once_exactly_the_allowed_pass(clock: Clock) -> None:
    limiter, limits = RateLimiter(clock), Limits(rate_requests=Yielding(120))
    assert hammer(lambda: limiter.hit(KEY, limits), times=2000).count(0) == 120


def test_the_ninth_request_at_once_finds_no_place() -> None:
    places = InFlight()
    taken = [places.take(KEY, 8) for _ in range(8)]
    assert None not in taken
    assert places.take(KEY, 8) is None
    assert places.take(OTHER, 8) is not None


def test_a_place_that_is_released_twice_is_free_once() -> None:
    places = InFlight()
    first, second = places.take(KEY, 2), places.take(KEY, 2)
    assert first is not None
    assert second is not None
    first.release()
    first.release()
    assert places.take(KEY, 2) is not None
    assert places.take(KEY, 2) is None


def test_never_more_than_the_allowed_are_in_flight() -> None:
    places, most = InFlight(), Yielding(3)
    inside: list[None] = []
    seen: list[int] = []

    def visit() -> None:
        slot = places.take(KEY, most)
        if slot is not None:
            inside.append(None)
            time.sleep(0)  # lets the others try while this one is inside
            seen.append(len(inside))
            inside.pop()
            slot.release()

    hammer(visit, times=2000)
    assert max(seen) <= 3
    assert [places.take(KEY, most) is not None for _ in range(4)] == [True, True, True, False]


def test_a_key_that_nobody_uses_is_forgotten() -> None:
    places = InFlight()
    for i in range(10_000):
        slot = places.take(("zapier", str(i)), 8)
        assert slot is not None
        slot.release()
    assert places == InFlight()
