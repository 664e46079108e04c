"""The life of a connection, as phases.

    phase       waits for                   bytes are     deadline            when it passes
    IDLE        a request's first byte      read          kept_seconds        close
    HEAD        the rest of the head        read          head_seconds        408, part
    BODY        the rest of the body        read          body_seconds        408, part
    WORK        the application             left alone    none
    DISCARD     the rest of a body whose    thrown away   body_seconds        close
                head was answer enough
    FLUSHING    the caller to take the      thrown away   none
                last answer
    LINGERING   the caller to close, too    thrown away   linger_seconds      close
    CLOSED

IDLE -> HEAD -> BODY -> WORK -> IDLE is a request and its answer; DISCARD takes the place of BODY
and WORK where admission answered. To part is FLUSHING -> LINGERING -> CLOSED. In every phase an
answer of which the caller takes nothing for `write_seconds`, or not all within `answer_seconds`,
closes the connection; so does one that has most to take when more than `waiting_bytes` wait in all.
While all connections are in use, an IDLE one makes room after a few seconds.

A caller that shuts its side in HEAD or BODY is answered 400 and parted from, without LINGERING; in
any other phase the connection closes, once an answer that waits is taken.

A connection has one request at a time: what a caller sends ahead waits, unread or unparsed, until
the answer before it was given.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final


class Phase(Enum):
    """What a connection waits for."""

    IDLE = auto()
    HEAD = auto()
    BODY = auto()
    WORK = auto()
    DISCARD = auto()
    FLUSHING = auto()
    LINGERING = auto()
    CLOSED = auto()

    __hash__ = (
        object.__hash__
    )  # PERF: an Enum's own is written in Python, and takes 10 times as long


SWALLOWING: Final = frozenset({Phase.FLUSHING, Phase.LINGERING})
"""Phases in which nothing that arrives is looked at."""

READ_ALWAYS: Final = SWALLOWING | {Phase.DISCARD}
"""Phases in which bytes are taken in although an answer waits for the caller to read it."""
