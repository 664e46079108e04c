"""Few arenas for the workers' memory, and none for what is large.

PERF: glibc keeps what a thread has freed for that thread. After 60,000 malformed requests, many of
them as large as may be, 16 workers held 189 MB in arenas of their own, and hold 81 MB in two.
Workers take turns, so they hardly ever wait for one another there.

PERF: what is freed inside an arena stays with the process; parts of a long answer have memory of
their own, which goes back. By itself glibc raises that threshold to 32 MB. After sixty lists of
8 MB that nobody took, 236 MB were kept, and 75 MB now.
"""

from __future__ import annotations

import ctypes
import platform
from typing import Final

ARENAS: Final = 2
MAPPED_BYTES: Final = 524_288
"""From so many bytes on a block has memory of its own; glibc's own value moves, from 131,072 up."""

_M_ARENA_MAX: Final = -8
_M_MMAP_THRESHOLD: Final = -3
"""Parameters of mallopt(3), as in glibc's malloc.h."""


def bound_arenas() -> None:
    """Let threads that start from now on share a few arenas; do nothing without glibc."""
    if platform.libc_ver()[0] == "glibc":
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_ARENA_MAX, ARENAS)
        mallopt(_M_MMAP_THRESHOLD, MAPPED_BYTES)
