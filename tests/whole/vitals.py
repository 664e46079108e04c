"""What a process holds, on Linux: memory, sockets, threads."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from attrs import frozen

PATIENCE = 20.0


@frozen
class Vitals:
    """What a process holds at one moment."""

    memory_mib: float
    sockets: int
    threads: int

    @classmethod
    def of(cls, pid: int) -> Vitals:
        """Look at a process."""
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        values = dict(re.findall(r"^(VmRSS|Threads):\s+(\d+)", status, re.MULTILINE))
        # NOTE: of other files a pool opens another few as more workers read at once.
        held = len(sockets_of(pid))
        return cls(round(int(values["VmRSS"]) / 1024, 1), held, int(values["Threads"]))


def eventually(holds: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Wait until something holds that another process brings about."""
    end = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < end, f"it never came about that {what}"
        time.sleep(0.01)


def sockets_of(pid: int) -> set[str]:
    """Return the names by which a process holds its sockets."""
    held: set[str] = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # it was closed meanwhile
            held.add(str(file.readlink()))
    return {name for name in held if name.startswith("socket:")}
