"""Compares a log with its checkpoints, and names the discrepancies.

A checkpoint that agrees proves that the first `size` events are, to the byte and in order, those
that were signed. Of the events after the last one, nothing is proven.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from attrs import evolve, frozen

from domain.flow.ids import FlowId
from domain.tlog.checkpoints import (
    Checkpoint,
    FoundNote,
    KnownCheckpoints,
    NoteLocation,
    UnverifiedNote,
    VerifiedNote,
)
from domain.tlog.compact_range import CompactRange, range_root
from domain.tlog.rebuild_tree import RebuiltTree
from domain.tlog.tiles import LEVEL

_TRUNCATED: Final = "log_truncated"


@frozen(kw_only=True)
class Discrepancy:
    """A disagreement: a code, a sentence, and where it was found.

    `first` and `last` bound the positions of the events that differ or are missing.
    """

    code: str
    sentence: str
    checkpoint: NoteLocation | None = None
    first: int | None = None
    last: int | None = None
    flow_id: FlowId | None = None
    version: int | None = None


@frozen(kw_only=True)
class Verified:
    """The result of a verification.

    `agreed` checkpoints hold; `covered` is the size of the largest of them, 0 for none. Of tiles
    that somebody gave, those that the log has too are the `same_tiles`, or not.
    """

    tree: RebuiltTree
    agreed: int
    covered: int
    findings: tuple[Discrepancy, ...]
    same_tiles: bool = True

    @property
    def missing(self) -> int:
        """How many events are missing at the end, by the largest of the checkpoints."""
        cut = [one for one in self.findings if one.code == _TRUNCATED]
        return sum((one.last or 0) - self.tree.size for one in cut)

    @property
    def is_short_copy(self) -> bool:
        """Whether events are missing at the end, and all that can be compared before agrees."""
        codes = {one.code for one in self.findings}
        return self.covered > 0 and codes == {_TRUNCATED} and self.same_tiles


def verified(log: RebuiltTree, checkpoints: KnownCheckpoints) -> Verified:
    """Compare a log, rebuilt at the size of each checkpoint, with all of them.

    What was put away before must still be in the log's own file, if that is given. The log is the
    one that the first of all checkpoints names.
    """
    own, held = checkpoints.own or (), checkpoints.held
    found = (*own, *held)
    signed = _signed(found)
    ours = [one for one in signed if _is_of_log(one, signed[0])]
    agreeing = [one for one in ours if _agrees(log, one)]
    findings = (
        *(_about(one, one.code, one.reason) for one in found if isinstance(one, UnverifiedNote)),
        *(_foreign(one, signed[0]) for one in signed if not _is_of_log(one, signed[0])),
        *_disordered(own),
        *(() if checkpoints.own is None else _lost(own, held)),
        *_gaps(log),
        *_differing(log, ours, checkpoints.tiles),
    )
    return Verified(
        tree=log,
        agreed=len({one.text for one in agreeing}),
        covered=max((one.checkpoint.size for one in agreeing), default=0),
        findings=findings,
        same_tiles=all(_compared(log, checkpoints.tiles)),
    )


def _agrees(log: RebuiltTree, one: VerifiedNote) -> bool:
    prefix = log.prefixes.get(one.checkpoint.size)
    return prefix is not None and prefix.root == one.checkpoint.root


def _signed(found: Sequence[FoundNote]) -> list[VerifiedNote]:
    return [one for one in found if isinstance(one, VerifiedNote)]


def _is_of_log(one: VerifiedNote, first: VerifiedNote) -> bool:
    return one.checkpoint.origin == first.checkpoint.origin


def _about(one: FoundNote, code: str, sentence: str) -> Discrepancy:
    return Discrepancy(code=code, sentence=f"{one.place}: {sentence}", checkpoint=one.place)


def _foreign(one: VerifiedNote, first: VerifiedNote) -> Discrepancy:
    origins = f"{one.checkpoint.origin}, and not of {first.checkpoint.origin}"
    return _about(one, "checkpoint_foreign", f"it is of another log, {origins}")


def _disordered(own: Sequence[FoundNote]) -> Iterator[Discrepancy]:
    """Return where the log's own file is not in the order in which its signer wrote it.

    A log only grows, and so do its checkpoints. Those of release 0.1 name the hash of the one
    before as well.
    """
    before: FoundNote | None = None
    most = 0
    for one in own:
        if isinstance(one, VerifiedNote):
            size = one.checkpoint.size
            if not _follows(one, before):
                yield _removed(one, before)
            elif size < most:
                sentence = f"it is of {size} events, one before it of {most}"
                yield _about(one, "checkpoint_shrinks", sentence)
            most = max(most, size)
        before = one


def _follows(one: VerifiedNote, before: FoundNote | None) -> bool:
    """Say whether a checkpoint may stand behind another one, or at the beginning of the file."""
    previous = one.checkpoint.previous
    if previous is None or isinstance(before, UnverifiedNote):
        return True  # what follows on a rejected one cannot be judged, and that one is a finding
    return before is not None and previous == before.digest


def _removed(one: VerifiedNote, before: FoundNote | None) -> Discrepancy:
    clause = "it does not follow on the checkpoint before it"
    if before is None:
        clause = "it follows on a checkpoint, but the file begins with it"
    sentence = f"{clause}; checkpoints were removed, exchanged or put in"
    return _about(one, "checkpoint_removed", sentence)


def _lost(own: Sequence[FoundNote], held: Sequence[FoundNote]) -> Iterator[Discrepancy]:
    """Return the checkpoints that others hold and the log's own file does not.

    What was signed is compared, since witnesses may have signed a copy, too.
    """
    kept = {one.text for one in _signed(own)}
    for one in _signed(held):
        if one.text not in kept:
            sentence = "the log's own file has no such checkpoint (any more)"
            yield _about(one, "checkpoint_missing", sentence)


def _gaps(log: RebuiltTree) -> Iterator[Discrepancy]:
    if log.gap is not None:
        yield Discrepancy(
            code="log_gap",
            sentence=f"version {log.gap.version} of flow {log.gap.flow_id} stands at position"
            f" {log.gap.position} of the log, which is not the next one: an event was removed"
            " or moved before it",
            first=log.gap.position,
            flow_id=log.gap.flow_id,
            version=log.gap.version,
        )


def _differing(
    log: RebuiltTree, signed: Sequence[VerifiedNote], tiles: Sequence[bytes]
) -> Iterator[Discrepancy]:
    """Return what the roots show: the log was cut, was changed, or never was what was signed."""
    ordered = sorted(signed, key=lambda one: one.checkpoint.size)
    good = max((one.checkpoint.size for one in ordered if _agrees(log, one)), default=0)
    short = [one for one in ordered if one.checkpoint.size > log.size]
    within = [one for one in ordered if not _agrees(log, one) and one not in short]
    yield from (_forked(one, good) for one in within if one.checkpoint.size <= good)
    if changed := [one for one in within if one.checkpoint.size > good]:
        first, last = _bounds(log, changed[0].checkpoint, good, tiles)
        yield _changed(changed, first, last)
    if short:
        before = _rewritten if within else _cut
        yield _truncated(log, short, before(log, good, tiles))


def _forked(one: VerifiedNote, good: int) -> Discrepancy:
    sentence = (
        f"it is of another history: the log agrees with a checkpoint of {good} events,"
        f" but not with this one of {one.checkpoint.size}"
    )
    return _about(one, "checkpoint_forked", sentence)


def _bounds(
    log: RebuiltTree, signed: Checkpoint, good: int, tiles: Sequence[bytes]
) -> tuple[int, int]:
    """Return between which positions the first change lies.

    It lies between the last checkpoint that agrees and the first that does not; and if the tiles
    lead to what was signed, in the first tile of the log that is another.
    """
    known = tiles[: signed.size >> LEVEL]
    over_tiles = CompactRange()
    for tile in known:
        over_tiles.add(tile)
    rest = log.prefixes[signed.size].rest
    if range_root([*over_tiles.hashes, *rest]) != signed.root:
        return good + 1, signed.size
    pairs = enumerate(zip(known, log.tiles, strict=False))
    changed = next(number for number, (then, now) in pairs if then != now)
    return max(good, changed << LEVEL) + 1, min(signed.size, (changed + 1) << LEVEL)


def _changed(changed: Sequence[VerifiedNote], first: int, last: int) -> Discrepancy:
    where = f"the event at position {first}"
    if first != last:
        where = f"an event from position {first} to {last}"
    others = f"; so do {len(changed) - 1} later ones" if len(changed) > 1 else ""
    sentence = (
        f"its root differs from the log's: {where} was changed, removed, put in or moved{others}"
    )
    found = _about(changed[0], "history_changed", sentence)
    return evolve(found, first=first, last=last)


def _compared(log: RebuiltTree, tiles: Sequence[bytes]) -> list[bool]:
    """Return of each tile that both have whether it is the same."""
    return [then == now for then, now in zip(tiles, log.tiles, strict=False)]


def _rewritten(*_: object) -> str:
    return "those before are not all the ones that were signed: it was rewritten, not only cut"


def _cut(log: RebuiltTree, good: int, tiles: Sequence[bytes]) -> str:
    """Return what is known of the events that a log has, no checkpoint of which disagrees."""
    same = _compared(log, tiles)
    if not all(same):
        first = max(good, same.index(False) << LEVEL) + 1
        return f"by the tiles, which nobody signed, it was rewritten too, from position {first} on"
    if good:
        return f"it is a short copy, its first {good} events are those that were signed"
    if same:
        return f"by the tiles, which nobody signed, its first {len(same) << LEVEL} events are right"
    return "no earlier checkpoint says whether those before are the ones that were signed"


def _truncated(log: RebuiltTree, short: Sequence[VerifiedNote], before: str) -> Discrepancy:
    size = short[-1].checkpoint.size
    sentence = (
        f"it is of {short[0].checkpoint.size} events and the log has only {log.size}: the events"
        f" from position {log.size + 1} to {size} are missing; {before}"
    )
    return evolve(_about(short[0], _TRUNCATED, sentence), first=log.size + 1, last=size)
