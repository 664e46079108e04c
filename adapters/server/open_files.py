"""How many connections the system lets this process hold."""

from __future__ import annotations

import logging
import resource
from typing import Final

_RESERVE: Final = 64
"""Descriptors for everything that is not a caller's connection."""

_LOGGER: Final = logging.getLogger("taskflow.server")


def room_for_connections(wanted: int) -> int:
    """Raise this process' limit of open files to hold `wanted` connections; return how many fit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + _RESERVE
    if soft >= needed or soft == resource.RLIM_INFINITY:
        return wanted
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < needed:
        _LOGGER.warning("the limit of %d open files leaves room for fewer connections", allowed)
    return max(1, allowed - _RESERVE)
