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


MAPPING: Final = """
import ctypes, sys
from adapters.server import bound_arenas
class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "abcdefghij"]
mallinfo2 = ctypes.CDLL(None).mallinfo2
mallinfo2.restype = Info
if sys.argv[1] == "bounded":
    bound_arenas()
bytearray(30_000_000)  # when this is freed, glibc raises its threshold
before = mallinfo2().d
held = bytearray(1_000_000)
print(mallinfo2().d - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no arenas")
@pytest.mark.parametrize(("how", "mapped"), [("bounded", 1), ("as it is", 0)])
def test_a_large_block_has_memory_of_its_own(how: str, mapped: int) -> None:
    process = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", MAPPING, how], capture_output=True, text=True, check=True
    )
    assert int(process.stdout) == mapped
