"""The proxies whose word on a client's address is taken: `gateway.trustedProxies`."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final, TypeAlias

from adapters.settings.fields import Members, Node
from domain.flow.values import BLANKS

Network: TypeAlias = IPv4Network | IPv6Network

_MAPPED: Final = 96
"""Bits ahead of an address of version 4 within one of version 6."""


def read_trusted_proxies(root: Members) -> tuple[Network, ...]:
    """Read a list of addresses and networks; host bits below a network's prefix are ignored."""
    gateway = root.object("gateway")
    gateway.refuse_misspelt("trustedProxies")
    proxies = gateway.elements("trustedProxies", of="addresses or networks", at_most=1024)
    networks = (_network(proxy) for proxy in proxies)
    return tuple(network for network in networks if network is not None)


def _network(field: Node) -> Network | None:
    expected = "an address like 10.0.0.1 or a network like 10.0.0.0/8"
    if not isinstance(field.value, str):
        field.refuse(expected=expected)
        return None
    try:
        network = ip_network(field.value.strip(BLANKS), strict=False)
    except ValueError:
        field.refuse(expected=expected, found="another string")
        return None
    network = _unmapped(network)
    if network.prefixlen == 0:
        field.diagnostics.advise(
            field.path, "every client is trusted to say what its address is: name the proxies"
        )
    return network


def _unmapped(network: Network) -> Network:
    """Return the network in version 4 that one in version 6 stands for (RFC 4291 §2.5.5.2)."""
    base = network.network_address
    mapped = base.ipv4_mapped if isinstance(base, IPv6Address) else None
    if mapped is None or network.prefixlen < _MAPPED:
        return network
    return IPv4Network((mapped, network.prefixlen - _MAPPED))
