"""Signs what a log is now, and puts it behind the checkpoints that were signed before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from adapters.audit.checkpoint_file import CheckpointFile, check_file, continued, digest_of
from adapters.audit.checkpoint_text import checkpoint_text, parse_checkpoint
from adapters.audit.keys import Signer
from adapters.audit.notes import BadNote, Notes, signed_note, text_of
from adapters.audit.tile_file import Progress, read_tiles, tiles_path, tree_over, write_tiles
from domain.audit.checkpoints import Checkpoint, Unprovable
from domain.audit.evidence import Evidence
from domain.audit.tiles import TiledTree
from domain.values import Timestamp


@frozen(kw_only=True)
class Issuer:
    """Who signs a log's checkpoints, as which log, into which file."""

    file: Path
    signer: Signer
    origin: str


@frozen
class Appended:
    """A checkpoint that is on disk, and sentences about what was found beside it."""

    checkpoint: Checkpoint
    notices: tuple[str, ...] = ()


def append_if_grown(evidence: Evidence, issuer: Issuer, now: Timestamp) -> Appended | None:
    """Append a checkpoint if anything has happened since the last one, and return it.

    Raises:
        Unprovable: if the log or the file is not what it was.
        OSError: if the file cannot be read or written.
    """
    with continued(issuer.file, issuer.origin) as file:
        last = _last(file.notes, issuer)
        if last is not None and evidence.size() == last.size:
            return None
        return _append(evidence, issuer, now, file, last, lambda _done, _all: None)


def append_checkpoint(
    evidence: Evidence, issuer: Issuer, now: Timestamp, *, progress: Progress
) -> Appended:
    """Append a checkpoint of a log as it is, and return it once it is on disk.

    Raises:
        Unprovable: if the log or the file is not what it was.
        OSError: if the file cannot be read or written.
    """
    with continued(issuer.file, issuer.origin) as file:
        return _append(evidence, issuer, now, file, _last(file.notes, issuer), progress)


def check_continuable(issuer: Issuer) -> None:
    """Check that a signer could append to its file as it is; the log is not looked at.

    Raises:
        Unprovable: if the file is none of its checkpoints.
        OSError: if it cannot be read and written.
    """
    notes = check_file(issuer.file, issuer.origin)
    _last(notes, issuer)


def _append(  # noqa: PLR0913, PLR0917 - all that both ways to append know
    evidence: Evidence,
    issuer: Issuer,
    now: Timestamp,
    file: CheckpointFile,
    last: Checkpoint | None,
    progress: Progress,
) -> Appended:
    """Append a checkpoint to a file that is open.

    APPSEC: nothing is signed that does not continue the last checkpoint in the file: a history
    that was changed must not get a good signature.
    """
    size = evidence.size()
    tree = _tree(evidence, size, last, issuer, progress)
    notes = file.notes.whole
    checkpoint = Checkpoint(
        origin=issuer.origin,
        size=size,
        root=tree.root(size),
        at=max(now, last.at or 0) if last else now,
        previous=digest_of(notes[-1]) if notes else None,
    )
    kept = file.append(signed_note(checkpoint_text(checkpoint), issuer.signer))
    return Appended(checkpoint, tuple(_notices(issuer, tree, kept)))


def _notices(issuer: Issuer, tree: TiledTree, kept: Path | None) -> Iterator[str]:
    if kept is not None:
        yield f"{issuer.file}: its last checkpoint was torn; what there was of it is in {kept}"
    tiles = tiles_path(issuer.file)
    slow = "the whole log is read for each checkpoint"
    try:
        if not write_tiles(tiles, tree.tiles):
            yield f"{tiles}: is not the tiles of this log: until it is moved away, {slow}"
    except OSError as error:
        yield f"{tiles}: cannot be written ({error.strerror}): until it can, {slow}"


def _last(notes: Notes, issuer: Issuer) -> Checkpoint | None:
    """Return what the last note says, which must be by the same signer."""
    if not notes.whole:
        return None
    text = text_of(notes.whole[-1], issuer.signer.verifier)
    checkpoint = None if isinstance(text, BadNote) else parse_checkpoint(text)
    if checkpoint is None or checkpoint.origin != issuer.origin:
        raise Unprovable(
            f"{issuer.file}: its last checkpoint is not one of {issuer.origin} by this key;"
            " a new key or origin wants a new file"
        )
    return checkpoint


def _tree(
    evidence: Evidence,
    size: int,
    last: Checkpoint | None,
    issuer: Issuer,
    progress: Progress,
) -> TiledTree:
    if last and last.size > size:
        raise _changed(issuer, f"has {size} events, of {last.size}")
    cached = read_tiles(tiles_path(issuer.file))
    tree = tree_over(evidence, size, trusted=last, cached=cached, progress=progress)
    if last and tree.root(last.size) != last.root:
        raise _changed(issuer, f"is not the one that it was with {last.size} events")
    return tree


def _changed(issuer: Issuer, clause: str) -> Unprovable:
    return Unprovable(
        f"no checkpoint was signed: the log {clause} that the last checkpoint of {issuer.file}"
        " speaks of: see taskflow audit verify"
    )
