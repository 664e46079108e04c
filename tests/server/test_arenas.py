"""Workers share the arenas of the C library's allocator."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from typing import Final

import pytest

from adapters.server.arenas import ARENAS

THREADS: Final = 8
PROGRAM: Final = f"""
import ctypes, sys, threading
from adapters.server import bound_arenas
if sys.argv[1] == "bounded":
    bound_arenas()
held, all_hold = [], threading.Barrier({THREADS} + 1)
def hold():
    held.append(bytes(100_000))
    all_hold.wait()
    all_hold.wait()
threads = [threading.Thread(target=hold) for _ in range({THREADS})]
for thread in threads:
    thread.start()
all_hold.wait()
ctypes.CDLL(None).malloc_stats()
all_hold.wait()
"""


def arenas(how: str) -> int:
    """Return how many arenas the threads of a process have."""
    process = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True
    )
    return len(re.findall(r"^Arena \d+:", process.stderr, re.MULTILINE))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no arenas")
def test_threads_share_few_arenas() -> None:
    assert arenas("bounded") <= ARENAS < arenas("as it is")
