"""A second reading of HTTP/1.1, written from RFC 9112 for these tests alone.

It says which requests all servers find in a string of bytes, and what lies behind them. It shares
no code with the server, so that a mistake of one is not a mistake of both. It is generous where
nobody can disagree (a method of any length) and gives up where somebody could.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from enum import Enum, auto

from attrs import frozen

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_LINE = re.compile(rb"%b [^\x00-\x20\x7f]+ (HTTP/1\.[01])" % _TOKEN)
_FIELD = re.compile(rb"(%b):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*" % _TOKEN)
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;[^\x00-\x08\x0a-\x1f\x7f]*)?")

_NO_TRAILERS = {b"content-length", b"transfer-encoding", b"host"}  # RFC 9110 §6.5.1


class Rest(Enum):
    """What lies behind the last whole request."""

    NOTHING = auto()
    INCOMPLETE = auto()
    MALFORMED = auto()


@frozen
class Reading:
    """The bodies of the whole requests, and what lies behind them."""

    bodies: Sequence[bytes]
    rest: Rest

    def goals(self) -> Iterator[str]:
        """Yield the goal of each flow that the requests ask to create."""
        for body in self.bodies:
            try:
                asked = json.loads(body)
            except (ValueError, RecursionError):
                continue
            if isinstance(asked, dict) and asked.get("action") == "create_flow":
                yield str(asked.get("goal")).strip()


class _Incomplete(Exception):  # noqa: N818 - no error: more bytes could come
    pass


class _MalformedError(Exception):
    pass


def read(data: bytes) -> Reading:
    """Read the requests that `data` holds, one behind the other."""
    bodies: list[bytes] = []
    try:
        while data := _without_empty_lines(data):
            body, data = _read_one(data)
            bodies.append(body)
    except _Incomplete:
        return Reading(bodies, Rest.INCOMPLETE)
    except _MalformedError:
        return Reading(bodies, Rest.MALFORMED)
    return Reading(bodies, Rest.NOTHING)


def _without_empty_lines(data: bytes) -> bytes:
    while data.startswith(b"\r\n"):
        data = data[2:]
    return data


def _read_one(data: bytes) -> tuple[bytes, bytes]:
    head, end, rest = data.partition(b"\r\n\r\n")
    if not end:
        raise _Incomplete
    line, *lines = head.split(b"\r\n")
    start = _matched(_LINE, line)
    fields = [_matched(_FIELD, field).groups() for field in lines]
    lengths = [value for name, value in fields if name.lower() == b"content-length"]
    codings = [value for name, value in fields if name.lower() == b"transfer-encoding"]
    if codings:
        _agree(not lengths and start[1] == b"HTTP/1.1" and codings[0].lower() == b"chunked")
        _agree(len(codings) == 1)
        return _chunked(rest)
    _agree(len(lengths) <= 1 and all(re.fullmatch(rb"[0-9]{1,18}", value) for value in lengths))
    return _taken(rest, int(lengths[0]) if lengths else 0)


def _chunked(rest: bytes) -> tuple[bytes, bytes]:
    body = b""
    while size := int(_matched(_CHUNK_LINE, (split := _line(rest))[0])[1], 16):
        chunk, rest = _taken(split[1], size + 2)
        _agree(chunk.endswith(b"\r\n"))
        body += chunk[:-2]
    rest = split[1]
    while (split := _line(rest))[0]:
        _agree(_matched(_FIELD, split[0])[1].lower() not in _NO_TRAILERS)
        rest = split[1]
    return body, split[1]


def _line(data: bytes) -> tuple[bytes, bytes]:
    line, end, rest = data.partition(b"\r\n")
    if not end:
        raise _Incomplete
    return line, rest


def _taken(data: bytes, count: int) -> tuple[bytes, bytes]:
    if len(data) < count:
        raise _Incomplete
    return data[:count], data[count:]


def _matched(pattern: re.Pattern[bytes], data: bytes) -> re.Match[bytes]:
    found = pattern.fullmatch(data)
    if found is None:
        raise _MalformedError
    return found


def _agree(holds: bool) -> None:  # noqa: FBT001 - what must hold is the only argument
    if not holds:
        raise _MalformedError
