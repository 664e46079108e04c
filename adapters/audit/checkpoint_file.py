"""The append-only file of a log's checkpoints, kept outside the database.

Each checkpoint is a signed note followed by an empty line, and is synced before it is
reported. A power cut can tear the last one: what stands then behind the last whole note begins as a
checkpoint of this log does. The next append puts it into a file beside this one and goes on behind
the last whole note. Whatever else stands in the file is somebody's: nothing is written to it then.
"""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from attrs import frozen

from adapters.audit.checkpoint_text import is_checkpoint_begun
from adapters.audit.notes import (
    HEAD,
    Notes,
    conversion_of,
    is_signature_begun,
    is_something_else,
    is_whole_note,
    split_notes,
)
from adapters.audit.plain_file import kind_of
from domain.tlog.checkpoints import Unprovable

LOCK_SECONDS: Final = 5.0
"""How long an append waits for another one."""

_LOOK_SECONDS: Final = 0.01
_NAME_ANOTHER: Final = ": name a file for the checkpoints"


@frozen
class CheckpointFile:
    """A file of checkpoints that is open to be continued, and by nobody else meanwhile.

    `data` is what it held when it was opened.
    """

    path: Path
    descriptor: int
    data: bytes
    notes: Notes

    def append(self, note: str) -> Path | None:
        """Write a note to the end, and sync it; return the file into which a torn rest was put.

        Raises:
            Unprovable: if the file was changed or replaced since it was opened.
            OSError: if the disk does not take it; then the file is as it was.
        """
        if not _is_named(self.path, self.descriptor) or _read(self.descriptor) != self.data:
            raise Unprovable(
                f"{self.path}: somebody else changed it meanwhile; nothing was written"
            )
        kept = self._put_rest_aside() if self.notes.rest else None
        whole = self.data.removesuffix(self.notes.rest)
        try:
            _write(self.descriptor, _lacking(whole) + note.encode() + b"\n")
        except OSError:
            with suppress(OSError):
                os.ftruncate(self.descriptor, len(whole))
            raise
        return kept

    def _put_rest_aside(self) -> Path:
        """Cut off what a torn write left, once it is on disk in a file beside this one."""
        kept, descriptor = _new_file_beside(self.path)
        try:
            try:
                _write(descriptor, self.notes.rest)
            finally:
                os.close(descriptor)
            _sync_folder(self.path.parent)
            os.ftruncate(self.descriptor, len(self.data) - len(self.notes.rest))
        except OSError:
            kept.unlink()
            raise
        return kept


def _lacking(whole: bytes) -> bytes:
    """Return what the last whole note lacks of its line break and the empty line behind it."""
    if not whole or whole.endswith(b"\n\n"):
        return b""
    return b"\n" if whole.endswith(b"\n") else b"\n\n"


def _new_file_beside(path: Path) -> tuple[Path, int]:
    for number in itertools.count(1):
        kept = path.with_name(f"{path.name}.torn-{number}")
        with suppress(FileExistsError):
            return kept, os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    raise AssertionError  # pragma: no cover - there is always one more number


def _write(descriptor: int, octets: bytes) -> None:
    while octets:
        octets = octets[os.write(descriptor, octets) :]
    os.fsync(descriptor)


@contextmanager
def continued(path: Path, origin: str) -> Iterator[CheckpointFile]:
    """Open a file of a log's checkpoints to continue it; it is made if it is missing.

    Raises:
        Unprovable: if it holds anything else.
        OSError: if it cannot be read and written.
    """
    descriptor, is_new = _opened(path)
    try:
        data = _read(descriptor)
        yield CheckpointFile(path, descriptor, data, _ours(path, data, origin))
    except OSError as error:
        error.filename = error.filename or str(path)
        raise
    finally:
        if is_new and os.fstat(descriptor).st_size == 0 and _is_named(path, descriptor):
            path.unlink()
        os.close(descriptor)


def _opened(path: Path) -> tuple[int, bool]:
    """Open a file and lock it, and say whether it is new."""
    flags = os.O_RDWR | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    while True:
        is_new = not os.path.lexists(path)
        if not is_new:
            check_kind(path)
        try:
            making = os.O_CREAT | os.O_EXCL if is_new else 0
            descriptor = os.open(path, flags | making, 0o644)
        except FileExistsError:
            continue
        try:
            _lock(path, descriptor)
            if _is_named(path, descriptor):
                if is_new:
                    _sync_folder(path.parent)
                return descriptor, is_new
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lock(path: Path, descriptor: int) -> None:
    """Lock a file, within bounds: who has locked it may be suspended, and a gateway has to end."""
    until = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > until:
                raise Unprovable(
                    f"{path}: another process is about to append to it: try again when it has ended"
                ) from error
            time.sleep(_LOOK_SECONDS)
        else:
            return


def check_kind(path: Path) -> None:
    """Check that a name that is taken is that of a regular file, or of a link to one.

    Raises:
        Unprovable: if it is something else.
        OSError: if that cannot be seen.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise Unprovable(f"{path}: is a link that leads nowhere{_NAME_ANOTHER}") from error
    if not stat.S_ISREG(mode):
        raise Unprovable(f"{path}: is {kind_of(mode)}{_NAME_ANOTHER}")


def check_file(path: Path, origin: str | None) -> Notes:
    """Return the notes of a file that can be continued, none if there is no such file yet.

    Raises:
        Unprovable: if it holds anything else.
        OSError: if it cannot be read and written, or not be made.
    """
    if not os.path.lexists(path):
        _check_access(path.parent, os.W_OK | os.X_OK)
        return Notes((), b"")
    check_kind(path)
    _check_access(path, os.R_OK | os.W_OK)
    with path.open("rb") as file:
        return _ours(path, _read(file.fileno()), origin)


def _check_access(path: Path, mode: int) -> None:
    path.stat()
    if not os.access(path, mode):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def _is_named(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _read(descriptor: int) -> bytes:
    """Return all that a file holds, or its beginning if that is not one of checkpoints."""
    head = os.pread(descriptor, HEAD, 0)
    if len(head) < HEAD or is_something_else(head):
        return head
    with open(descriptor, "rb", closefd=False) as file:
        file.seek(0)
        return file.read()


def _ours(path: Path, data: bytes, origin: str | None) -> Notes:
    """Return the notes of a file that holds nothing else, but for a torn one at its end."""
    notes = split_notes(data)
    bad = next((n for n, note in enumerate(notes.whole, 1) if not is_whole_note(note)), None)
    if bad is not None:
        raise _foreign(path, f"its checkpoint {bad} is none", data)
    if notes.rest and not is_torn(notes, origin):
        where = (
            f"what follows its checkpoint {len(notes.whole)}" if notes.whole else "what it holds"
        )
        raise _foreign(path, f"{where} is not how a checkpoint of this log begins", data)
    return notes


def _foreign(path: Path, clause: str, data: bytes) -> Unprovable:
    return Unprovable(
        f"{path}: is not a file of checkpoints, or was changed: {clause}{conversion_of(data)};"
        " nothing was written to it: name another file, or put a copy of the right one in its"
        " place"
    )


def is_torn(notes: Notes, origin: str | None) -> bool:
    """Say whether the rest of a file is how the next note begins: of the same log as the last one.

    The first note of a file is of `origin`; None stands for one that is not known.
    """
    if notes.is_among_signatures:
        return is_signature_begun(notes.rest)
    if notes.whole:
        first, _, _ = notes.whole[-1].partition(b"\n")
    elif origin is not None:
        first = origin.encode()
    else:
        first, _, size = notes.rest.partition(b"\n")
        return bool(first and size) and is_checkpoint_begun(notes.rest, first)
    return is_checkpoint_begun(notes.rest, first)


def _sync_folder(folder: Path) -> None:
    """Sync a folder, without which a new file in it may be gone after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
