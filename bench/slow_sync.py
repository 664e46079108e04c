"""A disk that syncs slower than it does: a library that is loaded before the system's own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from attrs import frozen

from bench.plan import SLOWER_MS

_SOURCE: Final = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

static int slowed(const char *name, int fd)
{
    struct timespec more = {0, MILLISECONDS * 1000000L};
    int (*sync)(int) = (int (*)(int)) dlsym(RTLD_NEXT, name);
    nanosleep(&more, 0);
    return sync(fd);
}

int fsync(int fd) { return slowed("fsync", fd); }
int fdatasync(int fd) { return slowed("fdatasync", fd); }
"""


@frozen
class Preload:
    """The environment in which every sync of a program takes longer."""

    environ: Mapping[str, str]


@frozen
class LeftOut:
    """Why syncs cannot be slowed here."""

    why: str


def slow_syncs(folder: Path, milliseconds: int = SLOWER_MS) -> Preload | LeftOut:
    """Compile the library into a folder."""
    compiler = shutil.which("cc")
    if sys.platform != "linux":
        return LeftOut("syncs can be slowed on Linux only")
    if compiler is None:
        return LeftOut("there is no C compiler (cc) to slow syncs with")
    source, library = folder / "slow_sync.c", folder / "slow_sync.so"
    source.write_text(_SOURCE)
    options = ["-shared", "-fPIC", "-O2", f"-DMILLISECONDS={milliseconds}"]
    subprocess.run(  # noqa: S603 - the system's compiler, with our own text
        [compiler, *options, "-o", str(library), str(source), "-ldl"], check=True
    )
    return Preload({"LD_PRELOAD": str(library)})
