"""What may be wrong with the disk below a running gateway, each for as long as a context lasts."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from attrs import frozen

from tests.whole.gateway import LOOK_EVERY_SECONDS, READY_SECONDS, RunningGateway
from tests.whole.limited import FREE, FULL

SHIM = Path(__file__).with_name("faulty_disk.c")


@contextmanager
def bounded_files(gateway: RunningGateway) -> Iterator[None]:
    """Let no file of a gateway grow, as on a full disk; it runs as `tests.whole.limited`."""
    _signal(gateway, signal.SIGUSR1, FULL)
    yield
    _signal(gateway, signal.SIGUSR2, FREE)


def _signal(gateway: RunningGateway, number: signal.Signals, answer: str) -> None:
    before = gateway.logs.count(answer)
    gateway.process.send_signal(number)
    deadline = time.monotonic() + READY_SECONDS
    while gateway.logs.count(answer) == before:
        assert time.monotonic() < deadline, gateway.logs
        time.sleep(LOOK_EVERY_SECONDS)


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Have another process hold the lock of a database: the one that runs the tests."""
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Leave no room on the file system of a folder."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65_536, 4_096, 1):
            _fill(file.fileno(), b"x" * size)
    yield
    filler.unlink()


def _fill(descriptor: int, block: bytes) -> None:
    while True:
        try:
            os.write(descriptor, block)
        except OSError:
            return


@contextmanager
def file_system(folder: Path, size: str) -> Iterator[Path]:
    """Mount a file system of its own in memory; root may do that, on Linux."""
    folder.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        _run("umount", str(folder))


@contextmanager
def bound(file: Path, place: Path) -> Iterator[None]:
    """Let a file be reached by the path of another one, too; root may do that, on Linux."""
    _run("mount", "--bind", str(file), str(place))
    try:
        yield
    finally:
        _run("umount", str(place))


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let nothing be written to a file system, of which no file may be open for writing."""
    _run("mount", "-o", "remount,ro", str(folder))
    yield
    _run("mount", "-o", "remount,rw", str(folder))


@frozen
class FaultyDisk:
    """A library that makes calls on a gateway's database fail, and the file with its orders."""

    library: Path
    orders: Path

    def environment(self, database: Path) -> dict[str, str | None]:
        """Return what a gateway on a database is started with."""
        return {
            "LD_PRELOAD": str(self.library),
            "FAULTY_FILES": str(database),
            "FAULTY_ORDERS": str(self.orders),
        }

    @contextmanager
    def failing(self, calls: str, number: int) -> Iterator[None]:
        """Have some calls fail with an errno; `faulty_disk.c` has the letters of the calls."""
        draft = self.orders.with_suffix(".draft")
        draft.write_text(f"{calls} {number}", encoding="ascii")
        draft.rename(self.orders)
        yield
        self.orders.unlink()


def make_faulty_disk(folder: Path) -> FaultyDisk:
    """Compile the library."""
    library = folder / "faulty_disk.so"
    _run("cc", "-shared", "-fPIC", "-Wall", "-Werror", "-o", str(library), str(SHIM), "-ldl")
    return FaultyDisk(library, folder / "orders")


def _run(*command: str) -> None:
    subprocess.run(command, check=True)  # noqa: S603 - commands of this module
