"""Sockets: how many the process may hold, how one listens, and how one is closed at no cost."""

from __future__ import annotations

import logging
import re
import resource
import socket
import struct
from contextlib import suppress
from typing import Final

RECV_BYTES: Final = 65_536
BACKLOG: Final = 4_096
WAITING: Final = 4_096
"""Most connections that are accepted and wait for their turn to be taken in."""

_RESERVE: Final = 64
"""Descriptors for everything that is not a caller's connection."""

LOGGER: Final = logging.getLogger("taskflow.server")


def room_for_connections(wanted: int) -> int:
    """Raise this process' limit of open files to hold `wanted` connections; return how many fit."""
    allowed = _raised_limit(wanted + _RESERVE)
    if allowed < wanted + _RESERVE:
        LOGGER.warning("the limit of %d open files leaves room for fewer connections", allowed)
    return max(1, min(wanted, allowed - _RESERVE))


def room_for_arrivals(connections: int) -> int:
    """Raise the limit further; return how many may wait beside so many connections."""
    others = connections + _RESERVE
    return max(1, _raised_limit(others + WAITING) - others)


def _raised_limit(needed: int) -> int:
    """Raise the limit of open files to what is needed, as far as that goes; return what it is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= needed or soft == resource.RLIM_INFINITY:
        return needed
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens; on every address of version 6 it does on those of 4, too.

    One of version 4 that is written in version 6 is the one of 4.
    """
    bracketed = re.fullmatch(r"\[(.*)\]", host)
    family, *_, address = socket.getaddrinfo(
        bracketed[1] if bracketed else host,
        port,
        type=socket.SOCK_STREAM,
        flags=socket.AI_PASSIVE,
    )[0]
    speaks_4 = family == socket.AF_INET6 and (
        address[0] == "::" or str(address[0]).startswith("::ffff:")
    )
    return socket.create_server(
        address[:2],
        family=family,
        backlog=BACKLOG,
        dualstack_ipv6=speaks_4 and socket.has_dualstack_ipv6(),
    )


def received(sock: socket.socket, most: int) -> bytes | None:
    """Return what has come over a socket: no bytes if the caller has gone, None if nothing has."""
    try:
        return sock.recv(most, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def reset(sock: socket.socket) -> None:
    """Close a socket by a reset: unlike the end in good order, it leaves no trace in the system."""
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
