"""Reads checkpoints: those of a log's own file, and those that somebody kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from attrs import evolve, frozen

from adapters.audit.checkpoint_file import is_torn
from adapters.audit.checkpoint_text import parse_checkpoint
from adapters.audit.keys import Verifier
from adapters.audit.notes import (
    HEAD,
    BadNote,
    Notes,
    SignedText,
    conversion_of,
    is_something_else,
    open_note,
    split_notes,
)
from adapters.audit.plain_file import open_plain_file, read_text
from domain.tlog.checkpoints import (
    Checkpoint,
    FoundNote,
    NoteLocation,
    Unprovable,
    UnverifiedNote,
    VerifiedNote,
)

_MOST: Final = 1 << 30
"""More bytes than the checkpoints of every minute of four years."""


@frozen
class SignedCheckpoint:
    """A checkpoint, and the signed text that it was read from."""

    checkpoint: Checkpoint
    signed: SignedText


def open_checkpoint(note: bytes, verifiers: Sequence[Verifier]) -> SignedCheckpoint | BadNote:
    """Return the checkpoint that a note is, if one of some keys has signed it."""
    signed = open_note(note, verifiers)
    if isinstance(signed, BadNote):
        return signed
    checkpoint = parse_checkpoint(signed.text)
    if checkpoint is None:
        reason = "it is signed, and says something else than a checkpoint"
        return BadNote(reason, is_readable=False)
    return SignedCheckpoint(checkpoint, signed)


def read_found_notes(path: Path, verifiers: Sequence[Verifier]) -> tuple[FoundNote, ...]:
    """Return the checkpoints that a file holds, judged by their signatures alone.

    Raises:
        Unprovable: if the file cannot be read.
    """
    return tuple(_found(path, read_notes(path), verifiers))


def read_held(path: Path, verifiers: Sequence[Verifier]) -> tuple[FoundNote, ...]:
    """Return the checkpoints that somebody kept: a copy of a file, or single notes.

    Raises:
        Unprovable: if the file cannot be read, was converted, or has none: then nothing is held.
    """
    notes = read_notes(path)
    if converted := conversion_of(b"".join([*notes.whole, notes.rest])):
        raise Unprovable(f"{path}: was changed{converted}: give it as it was when it was kept")
    if not notes.whole:
        raise Unprovable(f"{path}: holds no checkpoint, so there is nothing to compare with")
    # NOTE: there may be more empty lines around a note than one, from putting notes together.
    whole = tuple(note.lstrip(b"\n") for note in notes.whole)
    kept = evolve(notes, whole=whole, rest=notes.rest.lstrip(b"\n"))
    return tuple(_found(path, kept, verifiers))


def read_notes(path: Path) -> Notes:
    """Return the notes of a checkpoints file, unjudged.

    Raises:
        Unprovable: if the file cannot be read, or is long and has none.
    """
    with open_plain_file(path) as file:
        head = file.read(HEAD)
        if is_something_else(head):
            raise Unprovable(f"{path}: is not a file of checkpoints{conversion_of(head)}")
        rest = read_text(file, _MOST)
    if rest is None:
        raise Unprovable(f"{path}: is not a file of checkpoints: it is longer than any")
    return split_notes(head + rest)


def _found(path: Path, notes: Notes, verifiers: Sequence[Verifier]) -> Iterator[FoundNote]:
    for number, note in enumerate(notes.whole, 1):
        yield _judged(note, NoteLocation(file=str(path), number=number), verifiers)
    if notes.rest:
        torn = is_torn(notes, verifiers[0].name)
        reason = "it is not written to its end" if torn else "it is not a signed note"
        yield UnverifiedNote(
            place=NoteLocation(file=str(path), number=len(notes.whole) + 1),
            code="checkpoint_unreadable",
            reason=f"{reason}{conversion_of(notes.rest)}",
        )


def _judged(note: bytes, place: NoteLocation, verifiers: Sequence[Verifier]) -> FoundNote:
    found = open_checkpoint(note, verifiers)
    if isinstance(found, BadNote):
        code = "checkpoint_not_signed" if found.is_readable else "checkpoint_unreadable"
        reason = f"{found.reason}{conversion_of(note)}"
        return UnverifiedNote(place=place, code=code, reason=reason)
    return VerifiedNote(
        place=place,
        text=found.signed.text,
        public_key=str(found.signed.verifier),
        digest=found.signed.digest,
        checkpoint=found.checkpoint,
    )
