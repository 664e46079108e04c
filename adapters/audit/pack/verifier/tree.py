"""The Merkle tree of RFC 9162 §2.1, whose roots were signed."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from heapq import merge

from adapters.audit.pack.verifier.events import read_events
from adapters.audit.pack.verifier.forms import (
    HASH_BYTES,
    LONGEST_NAME,
    Wrong,
    decode_base64,
    is_count,
    read_strictly,
)
from adapters.audit.pack.verifier.notes import read_pack_notes
from adapters.audit.pack.verifier.pack_files import STRETCHES, Pack

SIZES = [1 << level for level in range(63)]


class Tree:
    """A Merkle tree that grows to the right, by leaves or by whole subtrees of 2**level leaves."""

    def __init__(self) -> None:
        self.size = 0
        self._parts: list[tuple[int, bytes]] = []

    def add(self, level: int, hashed: bytes) -> None:
        """Add a subtree on the right."""
        if self.size % (1 << level):
            raise Wrong(f"a stretch of {1 << level} events cannot begin after {self.size}")
        self.size += 1 << level
        while self._parts and self._parts[-1][0] == level:
            hashed = _node(self._parts.pop()[1], hashed)
            level += 1
        self._parts.append((level, hashed))

    def root(self) -> bytes:
        """Return the root over all leaves."""
        root = b""
        for _, hashed in reversed(self._parts):
            root = _node(hashed, root) if root else hashed
        return root or sha256().digest()


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def check_tree(pack: Pack) -> str:
    """Check that the events, with the hashes of those left out, lead to every signed root."""
    parts, tree, good, number = _parts(pack), Tree(), 0, 0
    for note in read_pack_notes(pack):
        number += 1
        if note.size < tree.size:  # it stands behind a newer one, which the chain forbids
            continue
        while tree.size < note.size:
            level, hashed = next(parts, (0, b""))
            if not hashed:
                raise Wrong(f"events or stretches are missing from position {tree.size + 1} on")
            tree.add(level, hashed)
        if (tree.size, tree.root()) != (note.size, note.root):
            raise Wrong(
                f"the root of the checkpoint over {note.size} events is another: behind position"
                f" {good} an event, a stretch or the checkpoint was changed, added or removed"
            )
        good = note.size
    if next(parts, None):
        raise Wrong(f"there is more behind position {good} than was signed")
    return f"the events lead to the root of every checkpoint, {number} in all"


def _parts(pack: Pack) -> Iterator[tuple[int, bytes]]:
    """Return the tree's subtrees from left to right: events, and the stretches between them."""
    events = ((event.position, 0, event.leaf_hash()) for event, _ in read_events(pack))
    due = 1
    for first, level, hashed in merge(events, _omitted_ranges(pack)):
        if first != due:
            raise Wrong(f"position {due} is neither an event here nor in a stretch")
        yield level, hashed
        due += 1 << level


def _omitted_ranges(pack: Pack) -> Iterator[tuple[int, int, bytes]]:
    """Return the first position, the level and the hash of each subtree without events here."""
    for number, text in pack.lines(STRETCHES, LONGEST_NAME):
        try:
            read = read_strictly(text.decode())
            first, last, hashed = read["first"], read["last"], decode_base64(read["hash"])
            level = SIZES.index(last - first + 1)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Wrong(f"{STRETCHES}, line {number}: it is not a stretch") from error
        fits = is_count(first) and is_count(last) and len(hashed) == HASH_BYTES
        written = f'{{"first":{first},"last":{last},"hash":"{read["hash"]}"}}\n'
        if not fits or text != written.encode():
            raise Wrong(f"{STRETCHES}, line {number}: it is not a stretch")
        yield first, level, hashed
