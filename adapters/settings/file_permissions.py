"""Whether a path may be relied on to lead to a secret or to a command: all of it, from the root on.

Nobody but root and the user of this process may be able to change what it leads to. As in OpenSSH,
that holds for the file and for each folder on the way; links are resolved one by one, so that the
folder that holds a link is one of them.
"""

from __future__ import annotations

import errno
import os
import shlex
import stat
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final, TypeAlias

from attrs import frozen

ROOT: Final = 0
_MOST_LINKS: Final = 40
"""On one path, as in Linux."""

_Step: TypeAlias = tuple[Path, os.stat_result]


@frozen
class ResolvedPath:
    """Where a path leads, the links on the way, and why it is not to be relied on, if it is not."""

    real: Path
    links: tuple[Path, ...]
    fault: str | None


def resolve_path(path: Path, vouched: Collection[Path] = ()) -> ResolvedPath:
    """Follow an absolute path, and examine each folder, link and file on the way.

    In `vouched` folders the group may write to folders. Raises OSError if the path leads nowhere.
    """
    # NOTE: from the root on, so that what was examined stays as it is: what is in a folder that
    # only root and we can change is exchanged by nobody else before it is examined and opened.
    steps = tuple(_steps(path))
    real, _ = steps[-1]
    faults = (_fault(here, status, real, vouched) for here, status in steps)
    return ResolvedPath(
        real=real,
        links=tuple(here for here, status in steps if stat.S_ISLNK(status.st_mode)),
        fault=next(filter(None, faults), None),
    )


def distrust(path: Path, status: os.stat_result) -> str | None:
    """Return why others can change a file or a folder, or None.

    It must belong to the user of this process or to root, who could change anything anyway: mounted
    secrets and installed commands belong to root. Being readable by others is left to advice.
    """
    return _fault(path, status, path, ())


def _steps(path: Path) -> Iterator[_Step]:
    """Yield each folder and link that the kernel passes on an absolute path, and the file last."""
    pending, here, links = list(reversed(path.parts)), Path("/"), 0
    while pending:
        name = pending.pop()
        outer = here
        here = here.parent if name == ".." else here / name
        status = here.lstat()
        yield here, status
        if stat.S_ISLNK(status.st_mode):
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
            pending.extend(reversed(here.readlink().parts))
            here = outer


def _fault(here: Path, status: os.stat_result, real: Path, vouched: Collection[Path]) -> str | None:
    subject = "" if here == real else f"is not safe: {_kind(status)} {here} "
    if status.st_uid not in {os.geteuid(), ROOT}:
        return f"{subject}belongs to another user (uid {status.st_uid})"
    if not status.st_mode & _writable(here, status, vouched):
        return None
    mode, remedy = stat.S_IMODE(status.st_mode), f"chmod go-w {shlex.quote(str(here))}"
    return f"{subject}can be written by its group or by others (mode {mode:04o}): {remedy}"


def _kind(status: os.stat_result) -> str:
    return "the link" if stat.S_ISLNK(status.st_mode) else "the folder"


def _writable(here: Path, status: os.stat_result, vouched: Collection[Path]) -> int:
    """Return the bits of a mode by which others could exchange what is there."""
    if stat.S_ISLNK(status.st_mode):
        return 0
    if stat.S_ISDIR(status.st_mode):
        # NOTE: in a sticky folder (/tmp, a mounted secret of Kubernetes) nobody can exchange what
        # belongs to root or to us, and whatever belongs to anybody else is refused.
        if status.st_mode & stat.S_ISVTX:
            return 0
        if any(here.is_relative_to(folder) for folder in vouched):
            return stat.S_IWOTH
    return stat.S_IWGRP | stat.S_IWOTH
