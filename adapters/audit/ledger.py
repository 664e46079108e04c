"""The append-only file of a log's checkpoints, kept outside the database.

Each checkpoint is a signed note followed by an empty line. Neither the text of a checkpoint nor its
signatures have empty lines, so the file falls into pairs of blocks: a text, and signatures, whose
lines begin with a dash (U+2014). A note is synced before anybody is told of it; what stands after
the last whole one was not written to its end, and the next append removes it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

from attrs import frozen

from adapters.audit.checkpoint_text import parse_checkpoint
from adapters.audit.keys import Verifier
from adapters.audit.notes import DASH, BadNote, text_of
from domain.audit.checkpoints import Place, Rejected, Sighting, Signed, Unprovable

_EMPTY_LINE: Final = b"\n\n"
_DASH: Final = DASH.encode()


@frozen
class Notes:
    """What a checkpoints file holds: its whole notes in order, and the rest behind them."""

    whole: tuple[bytes, ...]
    torn: bytes


def split_notes(data: bytes) -> Notes:
    """Return the notes of a checkpoints file, whatever they say."""
    *blocks, last = data.split(_EMPTY_LINE)
    notes: list[bytes] = []
    open_blocks: list[bytes] = []
    for block in blocks:
        open_blocks.append(block)
        if block.startswith(_DASH):
            notes.append(_EMPTY_LINE.join(open_blocks) + b"\n")
            open_blocks = []
    return Notes(tuple(notes), _EMPTY_LINE.join([*open_blocks, last]))


@frozen
class Ledger:
    """A checkpoints file that is open to be continued, and by nobody else meanwhile."""

    descriptor: int
    notes: tuple[bytes, ...]

    def append(self, note: str) -> None:
        """Write a note to the end, and sync it.

        Raises:
            OSError: if the disk does not take it.
        """
        octets = note.encode() + b"\n"
        while octets:
            octets = octets[os.write(self.descriptor, octets) :]
        os.fsync(self.descriptor)


@contextmanager
def continued(path: Path) -> Iterator[Ledger]:
    """Open a checkpoints file to continue it; it is made if it is missing.

    Raises:
        OSError: if it cannot be read and written.
    """
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        data = path.read_bytes()
        notes = split_notes(data)
        if notes.torn:
            os.ftruncate(descriptor, len(data) - len(notes.torn))
        if is_new:
            _sync_folder(path.parent)
        yield Ledger(descriptor, notes.whole)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    """Sync a folder, without which a new file in it may be gone after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_ledger(path: Path, verifier: Verifier) -> tuple[Sighting, ...]:
    """Return the checkpoints that a file holds, judged by their signatures alone.

    Raises:
        Unprovable: if the file cannot be read.
    """
    notes = read_notes(path)
    places = (Place(file=str(path), number=number) for number in range(1, len(notes.whole) + 2))
    found = [_sighting(note, next(places), verifier) for note in notes.whole]
    if notes.torn:
        reason = "it is not written to its end"
        found.append(Rejected(place=next(places), code="checkpoint_unreadable", reason=reason))
    return tuple(found)


def read_notes(path: Path) -> Notes:
    """Return the notes of a checkpoints file, unjudged.

    Raises:
        Unprovable: if the file cannot be read.
    """
    try:
        return split_notes(path.read_bytes())
    except OSError as error:
        raise Unprovable(f"{path}: {error.strerror}") from error


def _sighting(note: bytes, place: Place, verifier: Verifier) -> Sighting:
    text = text_of(note, verifier)
    if isinstance(text, BadNote):
        code = "checkpoint_not_signed" if text.is_readable else "checkpoint_unreadable"
        return Rejected(place=place, code=code, reason=text.reason)
    checkpoint = parse_checkpoint(text)
    if checkpoint is None:
        reason = "it is signed, and says something else than a checkpoint"
        return Rejected(place=place, code="checkpoint_unreadable", reason=reason)
    return Signed(place=place, digest=digest_of(note), checkpoint=checkpoint)


def digest_of(note: bytes) -> bytes:
    """Return the hash by which the next note refers to one."""
    return sha256(note).digest()
