"""systemd, or who speaks as it does: sockets that it hands over, and how the service fares.

As sd_listen_fds(3) and sd_notify(3) have it; without such a manager nothing here does anything.
"""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Mapping
from typing import Final

from attrs import define, field

from adapters import cli
from adapters.composition.clock_and_ids import LOG

METRICS: Final = "metrics"
"""The name (`FileDescriptorName=`) of the socket of the administrative address."""

WEBHOOKS: Final = ""
_FIRST: Final = 3
_LISTENING: Final = "a TCP socket that listens"


def handed_over(descriptor: int | None) -> Mapping[str, socket.socket]:
    """Return the listening sockets that the process was started with, by what they are for.

    That is `descriptor`, if one is given, and what a service manager says. What it says is taken
    out of the environment, so that no child of this process believes it.

    Raises:
        CommandError: if one of them is no such socket, more are there than are served, or what a
            service manager says to this process cannot be read.
    """
    pid, count, names = (
        os.environ.pop(name, None) for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
    )
    given = {} if descriptor is None else {descriptor: WEBHOOKS}
    if pid is not None and _number("LISTEN_PID", pid) == os.getpid() and count is not None:
        listed = [name if name == METRICS else WEBHOOKS for name in (names or "").split(":")]
        for number in range(_number("LISTEN_FDS", count)):
            given[_FIRST + number] = listed[number] if number < len(listed) else WEBHOOKS
    sockets = {name: _listening(number) for number, name in given.items()}
    if len(sockets) < len(given):
        raise cli.CommandError(
            f"{len(given)} sockets were handed over: one is for the webhooks,"
            f" and one named {METRICS} (FileDescriptorName=) for the metrics"
        )
    return sockets


def _number(name: str, text: str) -> int:
    if not re.fullmatch("[1-9][0-9]{0,6}", text):  # at most what a kernel gives
        raise cli.CommandError(
            f"{name}: expected a number, as sd_listen_fds(3) has it, found {text[:20]!r};"
            " whoever starts this process sets it"
        )
    return int(text)


def _listening(descriptor: int) -> socket.socket:
    try:
        found = socket.socket(fileno=descriptor)
    except OSError as error:
        raise cli.CommandError(
            f"descriptor {descriptor} is not {_LISTENING}: {error.strerror}"
        ) from error
    is_tcp = found.family in {socket.AF_INET, socket.AF_INET6} and found.type == socket.SOCK_STREAM
    if not is_tcp or not found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        found.detach()
        raise cli.CommandError(f"descriptor {descriptor} is not {_LISTENING}")
    return found


def notify(*states: str) -> None:
    """Say to the service manager how the service fares, if it wants to know; nobody waits."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
            sender.connect(f"\0{address[1:]}" if address.startswith("@") else address)
            sender.send("\n".join(states).encode())
    except OSError as error:
        LOG.warning("the service manager was not notified: %s", error.strerror)


def notify_of_reload(outcome: str, sentence: str) -> None:
    """Say how a reload goes: it began, or it ended in whatever way."""
    if outcome == "began":
        notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
    elif outcome in {"reloaded", "refused"}:
        notify("READY=1", f"STATUS=reload {outcome}: {sentence}")


@define
class Watchdog:
    """Says that the server's loop turns, twice in the time after which it is taken for stuck."""

    _seconds: float = field(init=False)
    _next: float = field(default=0.0, init=False)

    @_seconds.default
    def _asked(self) -> float:
        wanted, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID")
        is_ours = wanted.isdigit() and pid in {None, str(os.getpid())}
        return int(wanted) / 2_000_000 if is_ours else 0.0

    def __call__(self) -> None:
        """Say it, if it is time."""
        if self._seconds and (now := time.monotonic()) >= self._next:
            self._next = now + self._seconds
            notify("WATCHDOG=1")
