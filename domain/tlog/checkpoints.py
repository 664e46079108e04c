"""Checkpoints (C2SP tlog-checkpoint), and the signed notes in which they were found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from attrs import frozen


class Unprovable(Exception):  # noqa: N818 - reads as what is said of what was asked for
    """What an auditor asks for cannot be had; the sentence says what to do."""


@frozen(kw_only=True)
class Checkpoint:
    """The root of the tree over the first `size` events of a log, as its signer saw it.

    `previous` is the SHA-256 of the signed note before it in the signer's file, as release 0.1
    wrote it.
    """

    origin: str
    size: int
    root: bytes
    previous: bytes | None = None


@frozen
class AppendedCheckpoint:
    """A checkpoint that is on disk, and sentences about what was found beside it.

    It is not new if nothing had happened since it was signed. `before` is the size of the one that
    it continues, 0 if there is none.
    """

    checkpoint: Checkpoint
    notices: tuple[str, ...] = ()
    is_new: bool = True
    before: int = 0


@frozen
class RotatedKey:
    """A new key: its verifier key, and those that a configuration must name as previous ones."""

    public_key: str
    previous_keys: tuple[str, ...]


@frozen(kw_only=True)
class NoteLocation:
    """Where a checkpoint was found: a file, and its number in it, counted from 1."""

    file: str
    number: int

    def __str__(self) -> str:
        return f"{self.file}, checkpoint {self.number}"


@frozen(kw_only=True)
class VerifiedNote:
    """A checkpoint that was found with a good signature.

    `text` is what `public_key` signed, and `digest` the SHA-256 of the note without cosignatures.
    """

    place: NoteLocation
    text: str
    public_key: str
    digest: bytes
    checkpoint: Checkpoint


@frozen(kw_only=True)
class UnverifiedNote:
    """Something that was found where a checkpoint should be; `reason` is a clause about it.

    `code` is `checkpoint_unreadable`, or `checkpoint_not_signed` if the key did not sign it.
    """

    place: NoteLocation
    code: str
    reason: str


FoundNote: TypeAlias = VerifiedNote | UnverifiedNote


@frozen(kw_only=True)
class KnownCheckpoints:
    """What a log is compared with.

    `own` is all that the log's own file holds, from its beginning and in order; None if no such
    file was named. `held` are checkpoints in any selection that somebody put away. `tiles` are what
    somebody says the tiles of the log were: a hint, used as far as a signed root bears it out.
    """

    own: tuple[FoundNote, ...] | None = None
    held: tuple[FoundNote, ...] = ()
    tiles: Sequence[bytes] = ()

    @property
    def sizes(self) -> frozenset[int]:
        """The sizes at which the root of the log is needed."""
        found = (*(self.own or ()), *self.held)
        return frozenset(one.checkpoint.size for one in found if isinstance(one, VerifiedNote))
