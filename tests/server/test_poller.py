"""Which sockets are waited for."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator

import pytest

from adapters.server.poller import READ, Poller

PATIENCE = 5.0


@pytest.fixture(params=["epoll", "poll"])
def poller(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Poller]:
    if request.param == "poll":
        monkeypatch.delattr(select, "epoll", raising=False)
    found = Poller()
    yield found
    found.close()


def test_a_socket_that_is_not_waited_for_reports_nothing_until_it_is_again(poller: Poller) -> None:
    ours, theirs = socket.socketpair()
    other, others = socket.socketpair()
    with ours, theirs, other, others:
        for each in (ours, other):
            poller.watch(each.fileno(), READ)
        poller.watch(ours.fileno(), 0)
        theirs.send(b"more")
        others.send(b"more")
        for _ in range(2):
            assert [found for found, _ in poller.wait(PATIENCE)] == [other.fileno()]
        poller.watch(other.fileno(), 0)
        assert list(poller.wait(0)) == []
        poller.watch(ours.fileno(), READ)
        assert [found for found, _ in poller.wait(PATIENCE)] == [ours.fileno()]


def test_the_end_of_one_that_is_not_waited_for_wakes_nobody_twice(poller: Poller) -> None:
    ours, theirs = socket.socketpair()
    with ours:
        poller.watch(ours.fileno(), READ)
        poller.watch(ours.fileno(), 0)
        theirs.close()
        assert list(poller.wait(0)) == []
        assert poller._poll.poll(0) == [], "else the loop would not wait"  # noqa: SLF001 - as said
        poller.watch(ours.fileno(), READ)
        assert [found for found, _ in poller.wait(PATIENCE)] == [ours.fileno()]
        poller.forget(ours.fileno())
        assert list(poller.wait(0)) == []
