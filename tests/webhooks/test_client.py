"""Whose request it is, behind proxies and without."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.webhooks.client import client_address, client_key, neighbourhood, remembered

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
PROXY = "10.0.0.9"


@pytest.mark.parametrize(
    ("forwarded_for", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("198.51.100.7, 192.0.2.1", "192.0.2.1"),
        ("198.51.100.7,192.0.2.1 , 10.1.2.3,10.9.9.9", "192.0.2.1"),
        ("192.0.2.1:8080", "192.0.2.1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%2]:443", "fe80::1"),
        ("192.0.2.1, fd00::1%a", "192.0.2.1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:201", "192.0.2.1"),
        ("[::ffff:192.0.2.1]:80", "192.0.2.1"),
        ("192.0.2.1, ::ffff:10.0.0.1, fd00::1", "192.0.2.1"),
        ("192.0.2.1, ,", "192.0.2.1"),
        ("192.0.2.1, 127.0.0.1", "192.0.2.1"),
        ("198.51.100.7, 192.0.2.1, 127.9.9.9, ::1, 10.1.2.3, ::ffff:127.0.0.1", "192.0.2.1"),
        ("192.0.2.1\u00a0", "192.0.2.1"),
        pytest.param("127.0.0.2, 127.0.0.1, 10.0.0.1", "127.0.0.1", id="nothing but loopback"),
        pytest.param("unknown, 127.0.0.1", "127.0.0.1", id="garbage left of loopback"),
        pytest.param("192.0.2.1, 127.0.0.1, unknown", PROXY, id="garbage right of loopback"),
        pytest.param("192.0.2.1\u0085", PROXY, id="no blank of the reference's"),
        pytest.param("", PROXY, id="no header"),
        pytest.param("10.0.0.1, 10.0.0.2", PROXY, id="only proxies"),
        pytest.param("unknown", PROXY, id="garbage"),
        pytest.param("192.0.2.1, unknown", PROXY, id="garbage before the client"),
        pytest.param("192.0.2.1:port", PROXY, id="no port"),
        pytest.param("192.0.2.1:123456", PROXY, id="no port either"),
        pytest.param("[192.0.2.1", PROXY, id="half a bracket"),
        pytest.param("192.0.2.01", PROXY, id="octal or decimal"),
        pytest.param(" , ,", PROXY, id="nothing but commas"),
    ],
)
def test_behind_a_trusted_proxy_the_client_is_the_outermost_untrusted_hop(
    forwarded_for: str, client: str
) -> None:
    assert client_address(PROXY, forwarded_for, TRUSTED) == client


def test_a_proxy_that_is_not_trusted_says_nothing() -> None:
    assert client_address("203.0.113.5", "192.0.2.1", TRUSTED) == "203.0.113.5"
    assert client_address("203.0.113.5", "192.0.2.1", ()) == "203.0.113.5"


def test_a_mapped_address_of_a_socket_is_the_address_itself() -> None:
    assert client_address("::ffff:203.0.113.5", "", ()) == "203.0.113.5"
    assert client_address("::ffff:10.0.0.9", "192.0.2.1", TRUSTED) == "192.0.2.1"


def test_a_loopback_address_is_no_trusted_proxy_by_itself() -> None:
    assert client_address("127.0.0.1", "192.0.2.1", TRUSTED) == "127.0.0.1"


@pytest.mark.parametrize(
    ("address", "prefix", "key"),
    [
        ("2001:db8:1:2:3:4:5:6", 64, "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", 64, "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::9%eth0", 64, "2001:db8:1:2::/64"),
        ("fe80::1%a", 128, "fe80::1/128"),
        ("2001:db8:1:2::9", 48, "2001:db8:1::/48"),
        ("192.0.2.1", 64, "192.0.2.1"),
        ("::ffff:192.0.2.1", 64, "192.0.2.1"),
        ("/run/gateway.sock", 64, "/run/gateway.sock"),
    ],
)
def test_the_addresses_of_a_network_of_version_6_are_one_client(
    address: str, prefix: int, key: str
) -> None:
    assert client_key(address, prefix) == key


def test_connections_are_counted_for_clients_but_not_for_trusted_proxies() -> None:
    peers = ("203.0.113.5", "2001:db8::7%x", "10.0.0.9", "::ffff:10.0.0.9", "fd00::1%x")
    found = [neighbourhood(peer, TRUSTED) for peer in peers]
    assert found == ["203.0.113.5", "2001:db8::/64", None, None, None]


@pytest.mark.parametrize("peer", ["", "/run/gateway.sock"])
def test_a_socket_without_an_address_is_itself(peer: str) -> None:
    assert client_address(peer, "192.0.2.1", TRUSTED) == peer


@given(forwarded_for=st.text() | st.text(alphabet="[]:.,%0123456789abf "))
def test_no_header_makes_it_raise_or_trusts_a_proxy_to_be_the_client(forwarded_for: str) -> None:
    client = client_address(PROXY, forwarded_for, TRUSTED)
    assert client == PROXY or client_address(client, "192.0.2.1", TRUSTED) == client


@pytest.mark.parametrize(
    ("address", "mode", "recorded"),
    [
        ("192.0.2.77", "full", "192.0.2.77"),
        ("::ffff:192.0.2.77", "full", "192.0.2.77"),
        ("unix-socket", "full", "unix-socket"),
        ("192.0.2.77", "truncated", "192.0.2.0/24"),
        ("2001:db8:1:2::3%eth0", "full", "2001:db8:1:2::3"),
        ("2001:db8:1:2::3", "truncated", "2001:db8:1::/48"),
        ("unix-socket", "truncated", None),
        ("192.0.2.77", "none", None),
    ],
)
def test_an_address_is_recorded_as_the_settings_say(
    address: str, mode: str, recorded: str | None
) -> None:
    assert remembered(address, mode=mode) == recorded
