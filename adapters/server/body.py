"""The body of a request, taken from the bytes of a connection as they arrive.

A body takes what is its own from the front of the inbox and leaves the rest, which belongs to the
next request. Chunks follow RFC 9112 §7.1 without its tolerances: sizes are plain hexadecimal, lines
end in CRLF, and what is not payload (extensions, trailers) is checked, bounded and thrown away.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeAlias

from adapters.server.errors import BODY_TOO_LARGE, HttpError, bad_request
from adapters.server.head import are_fields

MAX_LINE: Final = 1_024
MAX_EXTRAS: Final = 8_192

# APPSEC: who merges trailers into the head would find another end of the message in them.
_NO_TRAILER: Final = re.compile(rb"(?:content-length|transfer-encoding|host):", re.IGNORECASE)
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,16})(;[\t\x20-\x7e\x80-\xff]*)?")

BodyProgress: TypeAlias = bool | HttpError
"""True: the body is complete. False: it needs more bytes. A fault: it can never be complete."""


class SizedBody:
    """A body whose length is declared."""

    def __init__(self, length: int) -> None:
        self.content = bytearray()
        self._missing = length

    def bound(self, most: int) -> None:
        """Do nothing: whoever bounds a body has seen its length."""

    def take(self, inbox: bytearray) -> BodyProgress:
        """Take what belongs to the body from the front of `inbox`."""
        self._missing -= _move(inbox, self.content, self._missing)
        return self._missing == 0


class ChunkedBody:
    """A body sent in chunks, of at most `limit` bytes when decoded."""

    def __init__(self, limit: int) -> None:
        self.content = bytearray()
        self._room = limit
        self._missing = 0
        self._extras = 0
        self._state: Callable[[bytearray], BodyProgress | None] = self._size

    def bound(self, most: int) -> None:
        """Take at most so many bytes; to be called before the first one is taken."""
        self._room = min(self._room, most)

    def take(self, inbox: bytearray) -> BodyProgress:
        """Take what belongs to the body from the front of `inbox`."""
        while (progress := self._state(inbox)) is None:
            pass
        return progress

    # Each state returns None when it has set the next one.

    def _size(self, inbox: bytearray) -> BodyProgress | None:
        line = _take_line(inbox)
        if isinstance(line, bool | HttpError):
            return line
        chunk = _CHUNK.fullmatch(line)
        if chunk is None:
            return bad_request("A chunk size is malformed")
        self._missing = int(chunk[1], 16)
        if self._missing > self._room:
            return BODY_TOO_LARGE
        self._room -= self._missing
        self._state = self._data if self._missing else self._trailer
        return self._count_extras(chunk[2] or b"")

    def _data(self, inbox: bytearray) -> BodyProgress | None:
        self._missing -= _move(inbox, self.content, self._missing)
        if self._missing:
            return False
        self._state = self._data_end
        return None

    def _data_end(self, inbox: bytearray) -> BodyProgress | None:
        if not b"\r\n".startswith(inbox[:2]):
            return bad_request("A chunk is longer than its size")
        if len(inbox) < len(b"\r\n"):
            return False
        del inbox[:2]
        self._state = self._size
        return None

    def _trailer(self, inbox: bytearray) -> BodyProgress | None:
        line = _take_line(inbox)
        if isinstance(line, bool | HttpError):
            return line
        if not line:
            return True
        if not are_fields(line + b"\r\n") or _NO_TRAILER.match(line):
            return bad_request("A trailer field is malformed, or belongs in the head")
        return self._count_extras(line)

    def _count_extras(self, extra: bytes) -> HttpError | None:
        self._extras += len(extra)
        if self._extras > MAX_EXTRAS:
            return bad_request("The chunk extensions and trailers are too long")
        return None


Body: TypeAlias = SizedBody | ChunkedBody


def _move(source: bytearray, target: bytearray, most: int) -> int:
    """Move up to `most` bytes from the front of `source` to the end of `target`."""
    moved = source[:most]
    target += moved
    del source[:most]
    return len(moved)


def _take_line(inbox: bytearray) -> bytes | BodyProgress:
    """Take a line without its CRLF; False while it is incomplete."""
    end = inbox.find(b"\n")
    if max(end, len(inbox) if end < 0 else 0) > MAX_LINE:
        return bad_request("A line of the chunked body is too long")
    if end < 0:
        return False
    line = bytes(inbox[:end])
    if not line.endswith(b"\r"):
        return bad_request("A line of the chunked body does not end in CRLF")
    del inbox[: end + 1]
    return line[:-1]
