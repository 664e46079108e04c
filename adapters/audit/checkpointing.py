"""Signs what a log is now, and puts it behind the checkpoints that were signed before."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from adapters.audit.checkpoint_text import checkpoint_text, parse_checkpoint
from adapters.audit.keys import Signer
from adapters.audit.ledger import Ledger, continued, digest_of
from adapters.audit.notes import BadNote, signed_note, text_of
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


def append_if_grown(evidence: Evidence, issuer: Issuer, now: Timestamp) -> Checkpoint | None:
    """Append a checkpoint if anything has happened since the last one, and return it.

    Raises:
        Unprovable: if the log or the file is not what it was.
        OSError: if the file cannot be read or written.
    """
    with continued(issuer.file) as ledger:
        last = _last(ledger, issuer)
    if last is not None and evidence.size() == last.size:
        return None
    return append_checkpoint(evidence, issuer, now, progress=lambda _done, _all: None)


def append_checkpoint(
    evidence: Evidence, issuer: Issuer, now: Timestamp, *, progress: Progress
) -> Checkpoint:
    """Append a checkpoint of a log as it is, and return it once it is on disk.

    APPSEC: nothing is signed that does not continue the last checkpoint in the file: a history
    that was changed must not get a good signature.

    Raises:
        Unprovable: if the log or the file is not what it was.
        OSError: if the file cannot be read or written.
    """
    with continued(issuer.file) as ledger:
        last = _last(ledger, issuer)
        size = evidence.size()
        tree = _tree(evidence, size, last, issuer, progress)
        checkpoint = Checkpoint(
            origin=issuer.origin,
            size=size,
            root=tree.root(size),
            at=max(now, last.at or 0) if last else now,
            previous=digest_of(ledger.notes[-1]) if ledger.notes else None,
        )
        write_tiles(tiles_path(issuer.file), tree.tiles)
        ledger.append(signed_note(checkpoint_text(checkpoint), issuer.signer))
    return checkpoint


def _last(ledger: Ledger, issuer: Issuer) -> Checkpoint | None:
    """Return what the last note says, which must be by the same signer."""
    if not ledger.notes:
        return None
    text = text_of(ledger.notes[-1], issuer.signer.verifier)
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
