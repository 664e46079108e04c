"""The index of a write-ahead log, read in its file `-shm` (https://sqlite.org/walformat.html)."""

from __future__ import annotations

import os
import struct
from typing import Final

from attrs import frozen

_HEADER: Final = struct.Struct("=IIIBBHIIIIIIII")
_BACKFILLED: Final = slice(96, 100)
_BACKFILLING: Final = slice(128, 132)
_SIZE: Final = 136
_LOG_HEADER: Final = 32
_FRAME_HEADER: Final = 24


@frozen
class WalIndex:
    """The index of a log.

    NOTE: the descriptor stays open until SQLite has closed the file: closing one drops the locks
    that SQLite holds on the file for this process.
    """

    descriptor: int

    def activity(self) -> bytes | None:
        """Return what every commit and every checkpoint changes; None while one goes on."""
        data = os.pread(self.descriptor, _SIZE, 0)
        header, copy = data[: _HEADER.size], data[_HEADER.size : 2 * _HEADER.size]
        if header != copy or data[_BACKFILLED] != data[_BACKFILLING]:
            return None
        return header + data[_BACKFILLED]

    def log_size(self) -> int:
        """Return how long the log is at least."""
        header = _HEADER.unpack(os.pread(self.descriptor, _HEADER.size, 0))
        page: int = header[5]
        frames: int = header[6]
        frame = _FRAME_HEADER + (65536 if page == 1 else page)
        return _LOG_HEADER + frames * frame if frames else 0
