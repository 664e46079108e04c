"""Real processes beside the test's own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, TypeAlias

Process: TypeAlias = "subprocess.Popen[str]"

_ROOT: Final = Path(__file__).parents[2]


@contextmanager
def writing_process(url: str, mode: Literal["hold", "write"]) -> Iterator[Process]:
    """Start a process that opens a store for writing; it is gone afterwards."""
    process = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "tests.store.writing_process", url, mode],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def said(process: Process) -> str:
    """Return the next line that a process prints, without its end."""
    assert process.stdout is not None
    return process.stdout.readline().removesuffix("\n")
