"""Memory that was freed goes back to the system."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_LARGE: Final = 1 << 20


def return_freed_memory() -> None:
    """Have glibc map each large block by itself for as long as this process lives.

    PERF: it does so at first, but after a block was freed keeps as much for the next. Two secrets
    whose fingerprints are made (scrypt, 16 MiB each) left 16 MB with the process for ever.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # musl has none, nor this habit
        for parameter in (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD):
            libc.mallopt(parameter, _LARGE)
