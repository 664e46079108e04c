"""The program in a process whose files can be bounded: `python -m tests.whole.limited ...`.

After SIGUSR1 it can write to no file beyond BOUND bytes, as if the disk were full; after SIGUSR2 it
can again. It says so on standard output.

NOTE: Python ignores SIGXFSZ, so that such a write fails with EFBIG.
"""

from __future__ import annotations

import resource
import signal
import sys

import app

BOUND = 131_072
"""Bytes: more than what a test logs, less than the write-ahead log that it has made before."""

FULL = f"no file may be longer than {BOUND} bytes"
FREE = "files may be of any length"


def bound_files(size: int, sentence: str) -> None:
    """Let no file grow beyond a size."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    print(sentence, flush=True)  # noqa: T201 - a test waits for it


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, lambda *_: bound_files(BOUND, FULL))
    signal.signal(signal.SIGUSR2, lambda *_: bound_files(resource.RLIM_INFINITY, FREE))
    sys.exit(app.main())
