"""The proxies whose word on a client's address is taken: `gateway.trustedProxies`."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Annotated, Final, TypeAlias

from adapters.settings.nodes import Misfit, Node
from adapters.settings.structure import Each, another, read_member
from domain.flow.values import BLANKS

TrustedProxy: TypeAlias = IPv4Network | IPv6Network

_MAPPED: Final = 96
"""Bits ahead of an address of version 4 within one of version 6."""


def read_trusted_proxies(root: Node) -> tuple[TrustedProxy, ...]:
    """Read a list of addresses and networks; host bits below a network's prefix are ignored."""
    gateway = root.at("gateway")
    gateway.refuse_misspelt("trustedProxies")
    return read_member(gateway, "trustedProxies", _PROXIES, ())


def _network(node: Node) -> TrustedProxy:
    try:
        written = node.value.strip(BLANKS) if isinstance(node.value, str) else ""
        network = ip_network(written, strict=False)
    except ValueError:
        expected = "an address like 10.0.0.1 or a network like 10.0.0.0/8"
        raise Misfit(expected, another(node, "another string")) from None
    network = _unmapped(network)
    if network.prefixlen == 0:
        node.advise("every client is trusted to say what its address is: name the proxies")
    return network


_PROXIES: Final = Annotated[
    tuple[TrustedProxy, ...],
    Each(Annotated[TrustedProxy, _network], "addresses or networks", 1024),
]


def _unmapped(network: TrustedProxy) -> TrustedProxy:
    """Return the network in version 4 that one in version 6 stands for (RFC 4291 §2.5.5.2)."""
    base = network.network_address
    mapped = base.ipv4_mapped if isinstance(base, IPv6Address) else None
    if mapped is None or network.prefixlen < _MAPPED:
        return network
    return IPv4Network((mapped, network.prefixlen - _MAPPED))
