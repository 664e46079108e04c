"""On which addresses a server listens."""

import socket
from collections.abc import Iterator

import pytest

from adapters.server.sockets import listening_socket
from tests.server.running import Running, serving
from tests.server.wire import calling, request

HAS_IPV6 = socket.has_dualstack_ipv6()


@pytest.fixture(params=["::", "[::]", "::0"])
def everywhere(request: pytest.FixtureRequest) -> Iterator[Running]:
    if not HAS_IPV6:
        pytest.skip("this system has no IPv6 that serves IPv4, too")
    with serving(host=request.param) as running:
        yield running


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_every_address_of_version_6_is_every_one_of_4_too(
    everywhere: Running, address: str
) -> None:
    assert everywhere.server.host == "::"
    assert everywhere.server.url == f"http://[::]:{everywhere.server.port}"
    with calling((address, everywhere.server.port)) as caller:
        assert caller.ask(request()).status == 200


def test_an_address_of_version_4_in_one_of_6_is_the_one_of_4() -> None:
    if not HAS_IPV6:
        pytest.skip("this system has no IPv6 that serves IPv4, too")
    with (
        serving(host="::ffff:127.0.0.1") as running,
        calling(("127.0.0.1", running.server.port)) as caller,
    ):
        assert caller.ask(request()).status == 200


@pytest.mark.parametrize("host", ["[::", "::]", "[[::]]"])
def test_brackets_come_in_one_pair(host: str) -> None:
    with pytest.raises(OSError, match=r"not known|No address"):
        listening_socket(host, 0)


def test_one_address_of_version_6_is_none_of_4() -> None:
    if not HAS_IPV6:
        pytest.skip("this system has no IPv6")
    with serving(host="[::1]") as running:
        with calling(("::1", running.server.port)) as caller:
            assert caller.ask(request()).status == 200
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", running.server.port))
