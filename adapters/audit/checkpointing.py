"""Signs what a log is now, and puts it behind the checkpoints that were signed before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from adapters.audit.checkpoint_file import CheckpointFile, check_file, continued
from adapters.audit.checkpoint_text import checkpoint_text, parse_checkpoint
from adapters.audit.keys import Signer, Verifier
from adapters.audit.notes import BadNote, Notes, open_note, signed_note
from adapters.audit.tile_file import read_tiles, tiles_path, tree_over, write_tiles
from domain.application.ports import Progress
from domain.history.audit_log import AuditLog
from domain.tlog.checkpoints import AppendedCheckpoint, Checkpoint, Unprovable
from domain.tlog.tiles import TiledTree


@frozen(kw_only=True)
class CheckpointSigner:
    """Who signs a log's checkpoints, as which log, into which file.

    `predecessors` are the keys in whose place this one was put: what they signed is continued.
    """

    file: Path
    key: Signer
    origin: str
    predecessors: tuple[Verifier, ...] = ()


@frozen
class _Last:
    """The last checkpoint of a file, and whether it is by the key that signs now."""

    checkpoint: Checkpoint
    is_own: bool

    def says(self, size: int) -> bool:
        """Say whether another checkpoint of a log of this size would be the same note again."""
        return self.is_own and self.checkpoint.size == size


def append_if_grown(
    audit_log: AuditLog, signer: CheckpointSigner, *, progress: Progress = lambda _done, _all: None
) -> AppendedCheckpoint | None:
    """Append a checkpoint if anything has happened since the last one, and return it.

    What `progress` raises ends it; nothing is appended then.

    Raises:
        Unprovable: if the log or the file is not what it was.
        OSError: if the file cannot be read or written.
    """
    with continued(signer.file, signer.origin) as file:
        last = _last(file.notes, signer)
        if last is not None and last.says(audit_log.size()):
            return None
        return _append(audit_log, signer, file, last, progress)


def append_checkpoint(
    audit_log: AuditLog, signer: CheckpointSigner, *, progress: Progress
) -> AppendedCheckpoint:
    """Append a checkpoint of a log as it is, if it has grown, and return the last one.

    Raises:
        Unprovable: if the log or the file is not what it was.
        OSError: if the file cannot be read or written.
    """
    with continued(signer.file, signer.origin) as file:
        return _append(audit_log, signer, file, _last(file.notes, signer), progress)


def check_continuable(signer: CheckpointSigner) -> None:
    """Check that a signer could append to its file as it is; the log is not looked at.

    Raises:
        Unprovable: if the file is none of its checkpoints.
        OSError: if it cannot be read and written.
    """
    _last(check_file(signer.file, signer.origin), signer)


def _append(
    audit_log: AuditLog,
    signer: CheckpointSigner,
    file: CheckpointFile,
    last: _Last | None,
    progress: Progress,
) -> AppendedCheckpoint:
    """Append a checkpoint to a file that is open.

    APPSEC: nothing is signed that does not continue the last checkpoint in the file: a history
    that was changed must not get a good signature.
    """
    size = audit_log.size()
    tree = _tree(audit_log, size, last, signer, progress)
    if last is not None and last.says(size):
        return AppendedCheckpoint(
            last.checkpoint, tuple(_notices(signer, tree, None)), is_new=False
        )
    checkpoint = Checkpoint(origin=signer.origin, size=size, root=tree.root(size))
    kept = file.append(signed_note(checkpoint_text(checkpoint), signer.key))
    before = 0 if last is None else last.checkpoint.size
    return AppendedCheckpoint(checkpoint, tuple(_notices(signer, tree, kept)), before=before)


def _notices(signer: CheckpointSigner, tree: TiledTree, kept: Path | None) -> Iterator[str]:
    if kept is not None:
        yield f"{signer.file}: its last checkpoint was torn; what there was of it is in {kept}"
    tiles = tiles_path(signer.file)
    slow = "the whole log is read for each checkpoint"
    try:
        if not write_tiles(tiles, tree.tiles):
            yield f"{tiles}: is not the tiles of this log: until it is moved away, {slow}"
    except OSError as error:
        yield f"{tiles}: cannot be written ({error.strerror}): until it can, {slow}"


def _last(notes: Notes, signer: CheckpointSigner) -> _Last | None:
    """Return what the last note says, which must be by the same signer or a predecessor.

    APPSEC: a key that is there by mistake continues nothing.
    """
    if not notes.whole:
        return None
    verifier = signer.key.verifier
    found = open_note(notes.whole[-1], (verifier, *signer.predecessors))
    if isinstance(found, BadNote):
        raise Unprovable(
            f"{signer.file}: its last checkpoint is not by the key {verifier}: name another file,"
            " or, if this key takes the place of the one that signed it, put the public key of"
            " that one into taskflow.audit.previousKeys"
        )
    first = f"{signer.origin}\n".encode()
    other = next((n for n, note in enumerate(notes.whole, 1) if not note.startswith(first)), None)
    checkpoint = parse_checkpoint(found.text)
    if checkpoint is None or other is not None:
        which = "last checkpoint" if other in {None, len(notes.whole)} else f"checkpoint {other}"
        raise Unprovable(
            f"{signer.file}: its {which} is not one of {signer.origin}: another log or origin wants"
            " a new file"
        )
    return _Last(checkpoint, is_own=found.verifier == verifier)


def _tree(
    audit_log: AuditLog,
    size: int,
    last: _Last | None,
    signer: CheckpointSigner,
    progress: Progress,
) -> TiledTree:
    trusted = None if last is None else last.checkpoint
    if trusted and trusted.size > size:
        raise _changed(signer, f"has {size} events, of {trusted.size}")
    cached = read_tiles(signer.file)
    tree = tree_over(audit_log, size, trusted=trusted, cached=cached, progress=progress)
    if trusted and tree.root(trusted.size) != trusted.root:
        raise _changed(signer, f"is not the one that it was with {trusted.size} events")
    return tree


def _changed(signer: CheckpointSigner, clause: str) -> Unprovable:
    return Unprovable(
        f"no checkpoint was signed: the log {clause} that the last checkpoint of {signer.file}"
        " speaks of: see taskflow audit verify"
    )
