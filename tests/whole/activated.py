"""Starts `app` as systemd starts a service: its sockets are the descriptors from 3 on.

`python -m tests.whole.activated NAMES DESCRIPTORS ARGUMENT...`, the first two with commas between.
"""

from __future__ import annotations

import os
import sys


def _main(names: str, descriptors: str, *arguments: str) -> None:
    numbers = [os.dup(int(number)) for number in descriptors.split(",")]
    spare = [os.dup2(number, 100 + at) for at, number in enumerate(numbers)]
    for at, number in enumerate(spare):
        os.dup2(number, 3 + at)
    own = {
        "LISTEN_PID": str(os.getpid()),
        "LISTEN_FDS": str(len(spare)),
        "LISTEN_FDNAMES": names.replace(",", ":"),
    }
    command = [sys.executable, "-m", "app", *arguments]
    os.execve(sys.executable, command, {**os.environ, **own})  # noqa: S606 - our own program


if __name__ == "__main__":
    _main(*sys.argv[1:])
