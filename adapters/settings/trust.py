"""Whether a file may be relied on to hold a secret, or to be run for one."""

from __future__ import annotations

import os
import stat
from typing import Final

ROOT: Final = 0
_WRITABLE_BY_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH


def distrust(status: os.stat_result, *, allow_insecure: bool) -> str | None:
    """Return what is wrong with a file, or None: a regular one that nobody else can change.

    It must belong to the user of this process or to root, who could change anything anyway: mounted
    secrets and installed commands belong to root. Being readable by others is left to advice.
    `allow_insecure` leaves only the first check.
    """
    if not stat.S_ISREG(status.st_mode):
        return "is not a regular file"
    if allow_insecure:
        return None
    if status.st_uid not in {os.geteuid(), ROOT}:
        return "belongs to another user"
    if status.st_mode & _WRITABLE_BY_OTHERS:
        return "can be written by its group or by others"
    return None
