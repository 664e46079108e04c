"""Whether the memory of this process, which holds secrets, may be written out when it crashes."""

from __future__ import annotations

import ctypes
import resource
import sys
from typing import Final

_PR_SET_DUMPABLE: Final = 4
_SOFT, _HARD = resource.getrlimit(resource.RLIMIT_CORE)
"""What this process was started with."""


def forbid_core_dumps() -> None:
    """Let no crash write this process's memory to a file; on Linux, nor to another program.

    NOTE: where the kernel hands dumps to a program (systemd-coredump, apport) it asks no limit, but
    whether the process is dumpable. One that is not is closed to debuggers of its own user, too,
    and its files in /proc belong to root. Programs that it starts inherit the limit only.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, _HARD))
    _set_dumpable(0)


def allow_core_dumps() -> None:
    """Let a crash write this process's memory out, as far as it could when it was started."""
    resource.setrlimit(resource.RLIMIT_CORE, (_SOFT, _HARD))
    _set_dumpable(1)


def _set_dumpable(value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, value, 0, 0, 0)
