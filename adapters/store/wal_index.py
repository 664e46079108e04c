"""The index of a write-ahead log, read in its file `-shm` (https://sqlite.org/walformat.html)."""

from __future__ import annotations

import os
import struct
from typing import Final

from attrs import frozen

_HEADER: Final = struct.Struct("=IIIBBHIIII8sII")
_FIRST: Final = slice(_HEADER.size)
_COPY: Final = slice(_HEADER.size, 2 * _HEADER.size)
_SALT: Final = slice(32, 40)
_BACKFILLED: Final = slice(96, 100)
_BACKFILLING: Final = slice(128, 132)
_SIZE: Final = 136
_LOG_HEADER: Final = 32
_FRAME_HEADER: Final = struct.Struct(">II8sII")


@frozen
class WalIndex:
    """The index of a log, and the log, each by a descriptor.

    NOTE: that of the index stays open until SQLite has closed the file: closing one drops the
    locks that SQLite holds on the file for this process.
    """

    descriptor: int
    log: int

    def close(self) -> None:
        """Close both."""
        os.close(self.descriptor)
        os.close(self.log)

    def read(self) -> bytes:
        """Return the head of the index, for the functions below."""
        head = os.pread(self.descriptor, _SIZE, 0)
        return head if len(head) == _SIZE else head.ljust(_SIZE, b"\0")

    def agrees(self, head: bytes) -> bool:
        """Say whether the last frame that the index counts is in the log, whole and as it was."""
        *_, small_page, frames, _, first, second, salt, _, _ = _HEADER.unpack_from(head)
        if head[_FIRST] != head[_COPY] or not frames:
            return True  # it is written just now, or counts none
        page: int = 65536 if small_page == 1 else small_page
        size = _FRAME_HEADER.size + page
        frame = os.pread(self.log, size, _LOG_HEADER + (frames - 1) * size)
        if len(frame) < size:
            return False
        return _FRAME_HEADER.unpack_from(frame)[2:] == (salt, first, second)


def checkpoints(head: bytes) -> bytes | None:
    """Return what every checkpoint changes, and no commit; None while one goes on.

    NOTE: only a checkpoint writes to the database itself.
    """
    if head[_FIRST] != head[_COPY] or head[_BACKFILLED] != head[_BACKFILLING]:
        return None
    return head[_SALT] + head[_BACKFILLED]
