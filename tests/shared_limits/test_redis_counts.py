"""Counts on a real server, shared by several that count."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from adapters.schedule import beside
from adapters.shared_limits.redis_counts import RedisCounts, SharedHit
from adapters.webhooks.limits import RateLimiter
from adapters.webhooks.shared_limits import SharedLimiter, WhileGone
from domain.application.limits import RouteLimits
from tests.shared_limits.server import PATIENCE_SECONDS, Valkey

KEY = ("zapier", "192.0.2.1")
OTHER = ("zapier", "192.0.2.2")
DEADLINE = 1.0
"""A busy machine answers no test within 5 ms."""


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    with Valkey(tmp_path) as server:
        yield server


@contextmanager
def counting(
    valkey: Valkey, number: int = 1, *, lease: float = 30.0, deadline: float = DEADLINE
) -> Iterator[list[RedisCounts]]:
    """Count as several gateways do."""
    with ExitStack() as stack:
        all_counts = []
        for _ in range(number):
            counts = RedisCounts(
                valkey.url, deadline, lambda _: None, valkey.password, lease_seconds=lease
            )
            stack.enter_context(beside(counts.run, counts.stop, name="counts", seconds=2.0))
            all_counts.append(counts)
        wait_until(lambda: all(counts.is_up for counts in all_counts))
        yield all_counts


def hit(counts: RedisCounts, key: tuple[str, str] = KEY, *, places: int = 100) -> SharedHit:
    found = counts.hit(key, requests=5, window_seconds=60.0, places=places)
    assert found is not None
    return found


def test_gateways_count_the_requests_of_a_key_together(valkey: Valkey) -> None:
    with counting(valkey, 2) as (one, other):
        hits = [hit(counts) for counts in (one, other) * 4]
        assert [each.passes for each in hits] == [True] * 5 + [False] * 3
        assert [each.left for each in hits] == [4, 3, 2, 1, 0, 0, 0, 0]
        assert all(0 < each.reset_seconds <= 60 for each in hits)
        assert hit(other, OTHER).left == 4


def test_a_window_ends_for_all_of_them(valkey: Valkey) -> None:
    with counting(valkey, 2) as (one, other):
        for counts in (one, other) * 3:
            counts.hit(KEY, requests=2, window_seconds=0.2, places=9)
        wait_until(lambda: not valkey.keys("rate"))
        assert hit(one).left == 4


def test_gateways_share_the_places_of_a_key(valkey: Valkey) -> None:
    with counting(valkey, 2) as (one, other):
        first, second, third = hit(one, places=2), hit(other, places=2), hit(one, places=2)
        assert first.place is not None
        assert second.place is not None
        assert (third.passes, third.place) == (True, None)
        assert other.take(KEY, places=2) is False
        one.release(first.place)
        wait_until(lambda: valkey.places() == 1)
        assert isinstance(other.take(KEY, places=2), tuple)


def test_a_place_lasts_as_long_as_its_request_and_outlives_no_gateway(valkey: Valkey) -> None:
    with counting(valkey, 1) as (watcher,):
        with counting(valkey, 1, lease=0.4) as (one,):
            hit(one, places=1)
            end = time.monotonic() + 1.2
            while time.monotonic() < end:
                assert watcher.take(KEY, places=1) is False
        wait_until(lambda: watcher.take(KEY, places=1) is not False)


def test_a_place_of_a_killed_gateway_is_free_beside_one_that_lasts(valkey: Valkey) -> None:
    with counting(valkey, 1, lease=0.6) as (lasting,):
        hit(lasting, places=2)
        with counting(valkey, 1, lease=0.6) as (killed,):
            hit(killed, places=2)
        wait_until(lambda: lasting.take(KEY, places=2) is not False)


def test_a_killed_server_is_found_again_when_it_is_back(valkey: Valkey) -> None:
    with counting(valkey) as (counts,):
        for _ in range(2):
            valkey.kill()
            wait_until(lambda: counts.hit(KEY, requests=1, window_seconds=9, places=9) is None)
            assert counts.take(KEY, places=1) is True
            valkey.start()
            wait_until(lambda: counts.is_up)
            assert hit(counts).left == 4


def test_a_server_that_hangs_is_waited_for_once_and_not_long(valkey: Valkey) -> None:
    with counting(valkey, deadline=0.005) as (counts,):
        valkey.process.send_signal(signal.SIGSTOP)
        began = time.process_time(), time.monotonic()
        answers = [counts.hit(KEY, requests=9, window_seconds=9, places=9) for _ in range(1000)]
        assert answers[1:] == [None] * 999
        assert time.monotonic() - began[1] < 1.0
        valkey.process.send_signal(signal.SIGCONT)
        wait_until(lambda: counts.is_up)


def limiter(counts: RedisCounts, while_gone: WhileGone = "local") -> SharedLimiter:
    return SharedLimiter(counts, RateLimiter(time.monotonic), while_gone)


@pytest.mark.parametrize(
    ("trouble", "end"),
    [
        (("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0")),
        (("CLIENT", "PAUSE", "60000", "WRITE"), ("CLIENT", "UNPAUSE")),
    ],
    ids=["full", "too slow to write"],
)
def test_a_server_that_answers_and_counts_nothing_is_gone_once(
    valkey: Valkey, trouble: tuple[str, ...], end: tuple[str, ...]
) -> None:
    said: list[str | None] = []
    counts = RedisCounts(valkey.url, 0.2, said.append)
    with beside(counts.run, counts.stop, name="counts", seconds=2.0), valkey.client() as client:
        wait_until(lambda: counts.is_up)
        client.execute_command(*trouble)
        for _ in range(5):
            assert counts.hit(KEY, requests=5, window_seconds=60.0, places=9) is None
            time.sleep(0.05)
        assert len(said) == 2
        client.execute_command(*end)
        wait_until(lambda: counts.is_up)
        assert hit(counts).passes
        assert [reason is None for reason in said] == [True, False, True]


def test_a_request_that_is_counted_takes_its_place_with_it(valkey: Valkey) -> None:
    limits = RouteLimits(rate_requests=9, in_flight=2)
    with counting(valkey, 2) as (one, other):
        here, there = limiter(one), limiter(other)
        assert here.hit(KEY, limits) == 0
        slot = here.take(KEY, limits.in_flight)
        assert slot is not None
        assert (valkey.places(), here.count()) == (1, 1)
        assert there.hit(KEY, limits) == 0
        assert there.take(KEY, limits.in_flight) is not None
        assert here.hit(KEY, limits) == 0
        assert here.take(KEY, limits.in_flight) is None
        slot.release()
        slot.release()
        wait_until(lambda: valkey.places() == 1)
        assert here.count() == 0


def test_a_place_that_nobody_takes_is_given_back_with_the_next_request(valkey: Valkey) -> None:
    limits = RouteLimits(rate_requests=9, in_flight=1)
    with counting(valkey) as (counts,):
        here = limiter(counts)
        assert here.hit(KEY, limits) == 0
        assert here.hit(OTHER, limits) == 0
        wait_until(lambda: valkey.places() == 1)
        assert here.take(KEY, limits.in_flight) is not None
        wait_until(lambda: valkey.places() == 1)


def test_what_is_left_of_a_rate_is_left_at_all_gateways(valkey: Valkey) -> None:
    limits = RouteLimits(rate_requests=5, rate_window_seconds=60)
    with counting(valkey, 2) as (one, other):
        here, there = limiter(one), limiter(other)
        for each in (here, there, here):
            assert each.hit(KEY, limits) == 0
            each.take(KEY, 9)
            each.hit(OTHER, limits)
        assert here.left(KEY, limits) == (2, 60)
        assert there.left(KEY, limits) == (3, 60)
        valkey.kill()
        wait_until(lambda: one.take(KEY, places=1) is True)
        assert here.hit(KEY, limits) == 0
        assert here.left(KEY, limits) == (4, 60)


@pytest.mark.parametrize(
    ("while_gone", "answers"),
    [("local", [0, 0, 60, 60]), ("refuse", [1, 1, 1, 1]), ("allow", [0, 0, 0, 0])],
)
def test_what_becomes_of_requests_while_the_server_is_gone(
    tmp_path: Path, while_gone: WhileGone, answers: list[int]
) -> None:
    gone = RedisCounts(Valkey(tmp_path).url, DEADLINE, lambda _: None)
    here, limits = limiter(gone, while_gone), RouteLimits(rate_requests=2, in_flight=1)
    assert [here.hit(KEY, limits) for _ in range(4)] == answers
    assert here.take(KEY, 1) is not None
    assert here.take(KEY, 1) is None


def test_a_password_is_used_and_never_shown(tmp_path: Path) -> None:
    with Valkey(tmp_path, "the-password-of-valkey") as valkey, counting(valkey) as (counts,):
        assert hit(counts).left == 4
        assert "the-password" not in repr(counts)


def test_how_the_server_fares_is_said_once(tmp_path: Path) -> None:
    said: list[str | None] = []
    server = Valkey(tmp_path)
    counts = RedisCounts(server.url, DEADLINE, said.append)
    with beside(counts.run, counts.stop, name="counts", seconds=2.0):
        wait_until(lambda: len(said) == 1)
        with server:
            wait_until(lambda: len(said) == 2)
            server.kill()
            wait_until(lambda: counts.hit(KEY, requests=1, window_seconds=9, places=9) is None)
            wait_until(lambda: len(said) == 3)
    assert [reason is None for reason in said] == [False, True, False]
