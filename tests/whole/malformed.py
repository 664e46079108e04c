"""Malformed requests without end, the same ones in every run.

Each attempt is drawn by dice of its own, from its number: one that did harm is drawn again by
`draw(number)`. An attempt is a well-formed request that is spoilt in one place by the grammar (its
line, a field, its length, its chunks, its body), often cut or followed by something, sometimes
damaged byte by byte as well, and sent in one of several ways.

The body of most is itself a whole request that would create a flow whose goal begins with
`smuggled`: no server may ever read it as a request.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from enum import Enum, auto

from attrs import define, field, frozen

from tests.whole import malformed_parts as parts
from tests.whole.honest import FIELDS, PATH, creating, webhook

HONEST_EVERY = 25
"""Every so many attempts are well-formed, and must be served."""


class Ending(Enum):
    """What the caller does when it has sent everything."""

    HALF_CLOSE = auto()
    """It says that nothing more will come, and reads."""
    WAIT = auto()
    """It reads until the other end closes."""
    RESET = auto()
    """It goes at once, without having read."""


@frozen
class Attempt:
    """What one caller does on one connection."""

    number: int
    kind: str
    pieces: tuple[bytes, ...]
    ending: Ending

    @property
    def data(self) -> bytes:
        """Everything that it sends."""
        return b"".join(self.pieces)

    @property
    def is_honest(self) -> bool:
        """Whether it is well-formed, and so to be served."""
        return self.kind == "honest"


@define
class Draft:
    """A request that is not yet written, so that a part of it can be spoilt."""

    dice: random.Random
    body: bytes
    line: tuple[bytes, bytes, bytes, bytes, bytes] = (
        *(b"POST", b" ", PATH.encode(), b" ", b"HTTP/1.1"),
    )
    fields: list[bytes] = field(factory=lambda: [line.encode() for line in FIELDS])
    is_framed: bool = False

    def frame(self, *lines: bytes) -> None:
        """Say in these lines, and in no others, where the body ends."""
        self.is_framed = True
        self.fields += lines

    def written(self) -> bytes:
        """Write the request; unless something else was said, its length is its body's."""
        length = () if self.is_framed else (b"Content-Length: %d" % len(self.body),)
        lines = (b"".join(self.line), *self.fields, *length, b"", b"")
        return b"\r\n".join(lines) + self.body


def draw(number: int) -> Attempt:
    """Return the attempt of a number."""
    dice = random.Random(f"malformed {number}")  # noqa: S311 - dice, not secrets
    if number % HONEST_EVERY == 0:
        request = webhook(creating(f"honest {number}"), "Connection: close")
        return Attempt(number, "honest", (request,), Ending.WAIT)
    kind = dice.choice(tuple(_KINDS))
    data = _KINDS[kind](Draft(dice, _carried(dice, number)))
    if dice.random() < 0.2:
        data = _damaged(dice, data)
    return Attempt(number, kind, _cut(dice, data), dice.choices(*_ENDINGS)[0])


_ENDINGS = (tuple(Ending), (95, 1, 4))


def smuggled(goal: str) -> bytes:
    """Write the request that must never be read out of another one."""
    return webhook(creating(goal))


def _carried(dice: random.Random, number: int) -> bytes:
    inner = smuggled(f"smuggled {number}")
    return dice.choice((inner, inner, b'{"action": "' + inner + b'"}', creating(f"own {number}")))


def _cut(dice: random.Random, data: bytes) -> tuple[bytes, ...]:
    """Cut the bytes into the pieces in which they are sent."""
    if dice.random() < 0.7:
        return (data,)
    cuts = sorted(dice.randrange(len(data) + 1) for _ in range(dice.randint(1, 4)))
    return tuple(data[a:b] for a, b in zip([0, *cuts], [*cuts, None], strict=True) if data[a:b])


def _damaged(dice: random.Random, data: bytes) -> bytes:
    """Replace some stretches of the bytes by scraps, or by a part of themselves."""
    damaged = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        start = dice.randrange(len(damaged) + 1)
        end = min(len(damaged), start + dice.choice((0, 0, 1, 2, 8, 60)))
        scrap = dice.choice((b"", dice.choice(parts.SCRAPS), bytes(damaged[end : end + 30])))
        damaged[start:end] = scrap
    return bytes(damaged) or b"\0"


# The kinds: each spoils one thing about a draft.


def _spoil_line(draft: Draft) -> bytes:
    place = draft.dice.randrange(len(parts.LINE))
    line = list(draft.line)
    line[place] = draft.dice.choice(parts.LINE[place])
    draft.line = (line[0], line[1], line[2], line[3], line[4])
    return draft.written()


def _spoil_fields(draft: Draft) -> bytes:
    for _ in range(draft.dice.randint(1, 3)):
        place = draft.dice.randrange(len(draft.fields) + 1)
        draft.fields.insert(place, draft.dice.choice(parts.FIELDS))
    return draft.written()


def _lose_a_field(draft: Draft) -> bytes:
    del draft.fields[draft.dice.randrange(len(draft.fields))]
    return draft.written()


def _spoil_length(draft: Draft) -> bytes:
    length = b"%d" % len(draft.body)
    draft.frame(*(line.replace(b"<n>", length) for line in draft.dice.choice(parts.LENGTHS)))
    return draft.written()


def _lie_about_length(draft: Draft) -> bytes:
    length = len(draft.body)
    lie = draft.dice.choice((0, 1, length - 1, length + 1, length * 2, 262_145, 10**17))
    draft.frame(b"Content-Length: %d" % lie)
    return draft.written()


def _spoil_coding(draft: Draft) -> bytes:
    lengths = draft.dice.choice(((), (b"Content-Length: %d" % len(draft.body),)))
    draft.frame(*lengths, *draft.dice.choice(parts.CODINGS))
    draft.dice.shuffle(draft.fields)
    draft.body = b"0\r\n\r\n" + draft.body
    return draft.written()


def _spoil_chunks(draft: Draft) -> bytes:
    """Send a chunked body of which one line is not as it should be."""
    dice, body = draft.dice, draft.body
    draft.frame(b"Transfer-Encoding: chunked")
    half = dice.randrange(len(body))
    lines = [b"%x\r\n" % half, b"\r\n", b"%x\r\n" % (len(body) - half), b"\r\n", b"0\r\n", b"\r\n"]
    place = dice.randrange(len(lines))
    spoil = parts.CHUNK_LINES if lines[place] != b"\r\n" else parts.CHUNK_ENDS
    lines[place] = dice.choice(spoil).replace(b"<size>", lines[place][:-2])
    first, second = body[:half], body[half:]
    draft.body = b"".join((lines[0], first, lines[1], lines[2], second, *lines[3:]))
    return draft.written() + dice.choice((b"", smuggled("second of its own")))


def _spoil_json(draft: Draft) -> bytes:
    draft.body = draft.dice.choice(parts.BODIES)
    return draft.written()


def _cut_short(draft: Draft) -> bytes:
    data = draft.written()
    return data[: draft.dice.randrange(1, len(data))]


def _follow_by_garbage(draft: Draft) -> bytes:
    return draft.written() + draft.dice.choice((*parts.GREETINGS, *parts.SCRAPS))


def _begin_with_garbage(draft: Draft) -> bytes:
    return draft.dice.choice((*parts.GREETINGS, *parts.SCRAPS)) + draft.written()


def _send_noise(draft: Draft) -> bytes:
    return draft.dice.randbytes(draft.dice.randint(1, 400)) + draft.body


_KINDS: Mapping[str, Callable[[Draft], bytes]] = {
    "request line": _spoil_line,
    "fields": _spoil_fields,
    "a field less": _lose_a_field,
    "length": _spoil_length,
    "wrong length": _lie_about_length,
    "coding": _spoil_coding,
    "chunks": _spoil_chunks,
    "JSON": _spoil_json,
    "cut short": _cut_short,
    "more behind": _follow_by_garbage,
    "more before": _begin_with_garbage,
    "noise": _send_noise,
}
