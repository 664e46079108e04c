from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from tests.settings.workbench import advice_of, loaded, refused


def test_proxies_are_addresses_or_networks(tmp_path: Path) -> None:
    proxies = ["127.0.0.1", "10.1.2.3/8", "::1", "fd00::/8", " 192.0.2.1 "]
    assert loaded(tmp_path, {"gateway": {"trustedProxies": proxies}}).trusted_proxies == tuple(
        map(ip_network, ["127.0.0.1/32", "10.0.0.0/8", "::1/128", "fd00::/8", "192.0.2.1/32"])
    )


@pytest.mark.parametrize(
    ("entry", "network"),
    [
        ("::ffff:10.0.0.1", "10.0.0.1/32"),
        ("::FFFF:a00:1", "10.0.0.1/32"),
        ("::ffff:10.1.2.3/104", "10.0.0.0/8"),
        ("::/64", "::/64"),
        ("\ufeff10.0.0.1\u3000", "10.0.0.1/32"),
    ],
)
def test_an_address_of_version_4_in_one_of_6_is_the_one_of_4(
    tmp_path: Path, entry: str, network: str
) -> None:
    settings = loaded(tmp_path, {"gateway": {"trustedProxies": [entry]}})
    assert settings.trusted_proxies == (ip_network(network),)


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("localhost", "another string"),
        ("10.0.0.0/33", "another string"),
        ("*", "another string"),
        ("", "another string"),
        (2130706433, "a number"),
        (None, "null"),
        (True, "true"),
    ],
)
def test_anything_else_is_refused(tmp_path: Path, entry: object, found: str) -> None:
    assert refused(tmp_path, {"gateway": {"trustedProxies": ["::1", entry]}}) == [
        (
            "gateway.trustedProxies[1]: expected an address like 10.0.0.1 or a network like "
            f"10.0.0.0/8, found {found}"
        )
    ]


def test_proxies_are_a_list(tmp_path: Path) -> None:
    assert refused(tmp_path, {"gateway": {"trustedProxies": "127.0.0.1"}}) == [
        "gateway.trustedProxies: expected an array of addresses or networks, found a string"
    ]


def test_the_rest_of_the_gateways_settings_is_ignored(tmp_path: Path) -> None:
    document = {"gateway": {"port": "any", "auth": {"token": 5}}}
    assert loaded(tmp_path, document).trusted_proxies == ()


@pytest.mark.parametrize("everybody", ["0.0.0.0/0", "::/0", "::ffff:0:0/96"])
def test_trusting_everybody_is_advised_against(tmp_path: Path, everybody: str) -> None:
    settings = loaded(tmp_path, {"gateway": {"trustedProxies": [everybody]}})
    assert (
        "gateway.trustedProxies[0]: every client is trusted to say what its address is: "
        "name the proxies"
    ) in advice_of(settings)
