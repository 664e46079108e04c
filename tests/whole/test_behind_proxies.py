"""A proxy before the gateway and the gateway agree where each request ends, and who asks."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from attrs import field, frozen

from tests.whole.answers import Answer, read_answers
from tests.whole.gateway import RunningGateway
from tests.whole.honest import (
    FIELDS,
    PATH,
    PATIENCE,
    alarms,
    created_goals,
    creating,
    gateway_under_attack,
    logged_requests,
    received,
    webhook,
)
from tests.whole.proxies import KINDS, Kind, Proxy
from tests.whole.shapes import SHAPES, Shape
from tests.whole.vitals import eventually, sockets_of

pytestmark = pytest.mark.full

_CLOSE = "Connection: close"
_STREAMING = [kind for kind in KINDS.values() if kind.streams]


@frozen
class Site:
    """A gateway, and a proxy that is its only caller."""

    gateway: RunningGateway
    proxy: Proxy
    _victims: Iterator[int] = field(factory=count)

    def ask(self, request: bytes, client: str = "127.0.0.1") -> Answer:
        """Ask through the proxy, from an address of loopback (on Linux there are many)."""
        (answer,) = read_answers(self.exchange(request, client))
        return answer

    def exchange(self, data: bytes, client: str = "127.0.0.1") -> bytes:
        """Send bytes to the proxy and read all that comes."""
        with self.calling(client) as sock:
            sock.sendall(data)
            return received(sock)

    def calling(self, client: str = "127.0.0.1") -> socket.socket:
        """Open a connection to the proxy."""
        place = self.proxy.place
        return socket.create_connection((place.host, place.port), PATIENCE, (client, 0))

    def serve_a_victim(self) -> None:
        """Let somebody else ask for a flow of their own, and see that it is what they get."""
        goal = f"victim {next(self._victims)}"
        answer = self.ask(webhook(creating(goal), _CLOSE))
        assert (answer.status, answer.json["result"]["flow"]["goal"]) == (200, goal)

    def seen(self) -> set[str]:
        """Return the ids of all requests that the gateway saw."""
        return {request_id for request_id, _ in logged_requests(self.gateway)}

    def passed(self) -> set[str]:
        """Return the ids of all requests that the proxy passed on."""
        return {request.request_id for request in self.proxy.passed()}

    def took_for_a_request(self, shape: Shape) -> bool:
        """Whether the proxy itself read what a shape hides as a request of its own."""
        return any(shape.target_query in request.line for request in self.proxy.passed())


def site_of(kind: Kind, folder: Path, **limits: float) -> Iterator[Site]:
    gateway = gateway_under_attack(folder, **limits)
    with gateway, Proxy.before(gateway.place, kind, folder) as proxy:
        yield Site(gateway, proxy)


@pytest.fixture(scope="module", params=KINDS.values(), ids=lambda kind: kind.name)
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    yield from site_of(request.param, tmp_path_factory.mktemp("site"))


def test_a_proxy_keeps_its_connection_to_the_gateway(site: Site) -> None:
    """Else nothing could be smuggled to the next caller, and these tests would show nothing."""
    site.serve_a_victim()
    before = sockets_of(site.gateway.pid)
    site.serve_a_victim()
    assert sockets_of(site.gateway.pid) == before


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_proxy_and_gateway_agree_where_a_request_ends(site: Site, shape: Shape) -> None:
    before = site.seen()
    with site.calling() as attacker:
        attacker.sendall(shape.data)
        attacker.recv(65_536)
        site.serve_a_victim()
        site.serve_a_victim()
    new = site.seen() - before
    eventually(lambda: new <= site.passed(), "the proxy knows of every request that came")
    executed = shape.goal in created_goals(site.proxy.place)
    assert not executed or site.took_for_a_request(shape)
    assert alarms(site.gateway) == []


@pytest.fixture(params=KINDS.values(), ids=lambda kind: kind.name)
def frugal_site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    yield from site_of(request.param, tmp_path, rateRequests=3)


def test_each_client_behind_a_proxy_has_a_budget_of_its_own(frugal_site: Site) -> None:
    request = webhook(b'{"action": "list_flows"}', _CLOSE)
    # NOTE: these clients are at loopback addresses, beside which an address would be believed.
    spoofed = webhook(b'{"action": "list_flows"}', _CLOSE, "X-Forwarded-For: 192.0.2.1, -")
    ours = [frugal_site.ask(request, "127.0.1.1").status for _ in range(4)]
    assert ours == [200, 200, 200, 429]
    assert frugal_site.ask(spoofed, "127.0.1.1").status == 429
    assert frugal_site.ask(request, "127.0.1.2").status == 200
    assert int(frugal_site.ask(request, "127.0.1.1").headers["retry-after"]) in range(1, 61)


def test_a_large_body_is_refused_through_a_proxy(site: Site) -> None:
    answer = site.ask(webhook(b"x" * 300_000, _CLOSE))
    assert (answer.status, answer.json["code"]) == (413, "payload_too_large")
    site.serve_a_victim()


def chunked_head() -> bytes:
    lines = (f"POST {PATH} HTTP/1.1", *FIELDS, _CLOSE, "Transfer-Encoding: chunked", "", "")
    return "\r\n".join(lines).encode()


def test_a_large_body_of_unknown_length_is_refused_through_a_proxy(site: Site) -> None:
    chunks = b"%x\r\n%b\r\n" % (100_000, b"x" * 100_000) * 3 + b"0\r\n\r\n"
    answer = site.ask(chunked_head() + chunks)
    assert (answer.status, answer.json["code"]) == (413, "payload_too_large")
    site.serve_a_victim()


@pytest.mark.parametrize("site", _STREAMING, indirect=True, ids=lambda kind: kind.name)
def test_a_slow_body_is_timed_out_through_a_proxy_that_passes_it_on(site: Site) -> None:
    with site.calling() as caller:
        caller.sendall(chunked_head())
        caller.settimeout(0.1)
        answer = drip(caller)
    assert (answer.status, answer.json["code"]) == (408, "request_timeout")
    site.serve_a_victim()


def drip(caller: socket.socket) -> Answer:
    """Send a chunk of one byte whenever nothing came for a while, until there is an answer."""
    got = b""
    for _ in range(100):
        try:
            got += caller.recv(65_536)
        except TimeoutError:
            caller.sendall(b"1\r\nx\r\n")
        else:
            break
    caller.settimeout(PATIENCE)
    (answer,) = read_answers(got + received(caller))
    return answer
