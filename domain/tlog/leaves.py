"""The leaves of the tree: an event as it is stored, encoded without ambiguity.

A leaf is four parts, one after the other, whole numbers with the most significant byte first:

    flow id    4 bytes: the length of what follows; then the id in UTF-8
    version    8 bytes: the event's place in its flow's stream, from 1
    name       4 bytes: the length of what follows; then the event's permanent name in UTF-8
    state      4 bytes: the length of what follows; then the event's bytes as they are stored

Its place in the log is not part of it, since the tree says that: the leaf at index i, counted
from 0, is the event at position i + 1.
"""

from __future__ import annotations

from hashlib import sha256
from struct import Struct
from struct import error as NotPackable  # noqa: N812 - a class in lower case
from typing import Final

from domain.history.audit_log import LogEntry

_LENGTH: Final = Struct(">I")
_VERSION_LENGTH: Final = Struct(">QI")


def leaf(entry: LogEntry) -> bytes:
    """Return the leaf of a stored event.

    Raises:
        struct.error: if its version is negative or more than 64 bits, so that it has no leaf.
    """
    flow_id, name, state = entry.flow_id.encode(), entry.name.encode(), entry.state
    return b"".join(
        (
            _LENGTH.pack(len(flow_id)),
            flow_id,
            _VERSION_LENGTH.pack(entry.version, len(name)),
            name,
            _LENGTH.pack(len(state)),
            state,
        )
    )


def entry_hash(entry: LogEntry) -> bytes:
    """Return the hash of an event's leaf; what can have no leaf hashes to what no leaf hashes to.

    NOTE: a row that cannot be written as a leaf was never written by us. The tree only has to
    differ, and to go on behind it.
    """
    try:
        # PERF: about 2 us; this is done for each event of a log.
        return sha256(b"\x00" + leaf(entry)).digest()
    except (NotPackable, AttributeError, TypeError, UnicodeEncodeError):
        return sha256(b"no event").digest()
