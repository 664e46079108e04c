"""Where a command writes what it was asked for: a file that its user names.

A new file appears when it is whole; an old one is replaced only by force. Devices and pipes are
written to as they are, when all that goes there is known. A link is followed, and stays.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

from attrs import frozen

from adapters.cli.atomic_write import atomic_write, keep
from adapters.cli.dependencies import CommandError
from adapters.cli.own_files import OwnFiles, found_in
from adapters.cli.terminal import Terminal
from adapters.presentation.printable import counted

_PRECIOUS: Final = (
    (re.compile(rb"SQLite format 3\x00"), "is a database"),
    (re.compile(rb"\s*PRIVATE\+KEY\+"), "holds a key"),
    (re.compile(rb"[^\n]+\n[0-9]+\n[A-Za-z0-9+/]{43}=\n"), "holds checkpoints"),
)
_HEAD: Final = 1 << 12
_KINDS: Final = {stat.S_IFDIR: "a folder", stat.S_IFBLK: "a disk", stat.S_IFSOCK: "a socket"}
_STANDARD_OUTPUT: Final = 1
_READER_SECONDS: Final = 5.0
"""A pipe is given so long to find a reader: one that is started beside this program."""
_LOOK_SECONDS: Final = 0.02


@frozen(kw_only=True)
class Output:
    """A file to be written. What is in `own` is never written to, and `force` replaces a file."""

    path: Path
    own: OwnFiles
    force: bool

    def check(self) -> None:
        """Check that it may be written.

        Raises:
            CommandError: if it may not.
            OSError: if that cannot be seen.
        """
        if what := found_in(self.own, self.path):
            raise CommandError(f"{self.path} is {what}, and is not overwritten")
        status = self._status()
        if status is None or self.is_standard or _is_stream(status):
            return
        if not stat.S_ISREG(status.st_mode):
            raise CommandError(f"{self.path} is {_KINDS[stat.S_IFMT(status.st_mode)]}: name a file")
        if not _has_name(self.path, status):
            raise CommandError(f"{self.path} is open, and has no name: name a file")
        if what := _precious(self.path):
            raise CommandError(f"{self.path} {what}, and is not replaced")
        if not self.force:
            raise CommandError(f"{self.path} exists already; --force replaces it")

    def _status(self) -> os.stat_result | None:
        """Return what stands under the name, or None if nothing does."""
        if not os.path.lexists(self.path):
            return None
        try:
            return self.path.stat()
        except FileNotFoundError:
            raise CommandError(f"{self.path} is a link that leads nowhere: name a file") from None

    @property
    def is_standard(self) -> bool:
        """Say whether it is standard output, by whichever name."""
        try:
            return os.path.samestat(self.path.stat(), os.fstat(_STANDARD_OUTPUT))
        except OSError:  # neither need be there
            return False

    @property
    def is_terminal(self) -> bool:
        """Say whether it is a terminal."""
        status = self._status()
        if status is None or not stat.S_ISCHR(status.st_mode):
            return False
        descriptor = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            return os.isatty(descriptor)
        finally:
            os.close(descriptor)

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """Give a file to write to; on leaving, what it holds is where it belongs, or nothing is.

        Raises:
            CommandError: if it may not be written, or nobody reads from a pipe.
            OSError: if it cannot be written.
        """
        self.check()
        status = self._status()
        if self.is_standard or (status is not None and _is_stream(status)):
            with TemporaryFile() as file:
                yield file
                file.seek(0)
                self._pour(file)
            return
        target = Path(os.path.realpath(self.path))
        with atomic_write(target, self._replace if self.force else keep) as file:
            yield file

    def _replace(self, written: Path, target: Path) -> None:
        self.check()
        written.replace(target)

    def _pour(self, file: IO[bytes]) -> None:
        try:
            descriptor = os.dup(_STANDARD_OUTPUT) if self.is_standard else _opened_stream(self.path)
            with os.fdopen(descriptor, "wb") as sink:
                shutil.copyfileobj(file, sink)
        except BrokenPipeError as error:
            if self.is_standard:
                raise
            raise CommandError(f"{self.path}: its reader went away") from error
        except OSError as error:
            error.filename = error.filename or str(self.path)
            raise


def _is_stream(status: os.stat_result) -> bool:
    return stat.S_ISCHR(status.st_mode) or stat.S_ISFIFO(status.st_mode)


def _has_name(path: Path, status: os.stat_result) -> bool:
    """Say whether a file is where its links lead; under /proc, one that was removed is not."""
    try:
        return os.path.samestat(Path(os.path.realpath(path)).stat(), status)
    except FileNotFoundError:
        return False


def _precious(path: Path) -> str | None:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return next((what for form, what in _PRECIOUS if form.match(head)), None)


def _opened_stream(path: Path) -> int:
    """Open a device, or a pipe as soon as somebody reads from it."""
    until = time.monotonic() + _READER_SECONDS
    while True:
        try:
            flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            descriptor = os.open(path, flags)
        except OSError as error:
            if error.errno != errno.ENXIO or not path.is_fifo():
                raise
            if time.monotonic() > until:
                raise CommandError(
                    f"{path}: nobody reads from it: start its reader first"
                ) from error
            time.sleep(_LOOK_SECONDS)
        else:
            os.set_blocking(descriptor, True)
            return descriptor


@frozen(kw_only=True)
class WrittenFile:
    """What was written, under the names that it has in JSON."""

    events: int
    file: str
    bytes: int
    sha256: str

    def show(self, terminal: Terminal) -> None:
        """Say it to people."""
        counts = f"{counted(self.events, 'event')}, {counted(self.bytes, 'byte')}"
        terminal.say(f"Wrote {self.file}: {counts}")
        terminal.say(f"SHA-256 {self.sha256}")


def measured(path: Path, file: IO[bytes], events: int) -> WrittenFile:
    """Return what a file that is open now holds."""
    file.seek(0)
    digest = file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type] # IO has no readinto
    return WrittenFile(events=events, file=str(path), bytes=file.tell(), sha256=digest)
