"""What verifying finds, over logs of ten events and checkpoints after every second one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final

import pytest
from attrs import evolve

from domain.flow.ids import FlowId
from domain.history.audit_log import LogEntry
from domain.tlog.checkpoints import (
    Checkpoint,
    FoundNote,
    KnownCheckpoints,
    NoteLocation,
    UnverifiedNote,
    VerifiedNote,
)
from domain.tlog.compact_range import root_of
from domain.tlog.leaves import entry_hash
from domain.tlog.rebuild_tree import rebuild_tree
from domain.tlog.tiles import TILE, tile_roots
from domain.tlog.verifying import Discrepancy, verified

LOG: Final = tuple(
    LogEntry(position=number, flow_id=FlowId("flow-1"), version=number, name="made.v1", state=b"{}")
    for number in range(1, 11)
)


def numbered(entries: Sequence[LogEntry]) -> list[LogEntry]:
    """Return entries with positions that have no gap, as a store gives them out."""
    return [evolve(entry, position=number) for number, entry in enumerate(entries, 1)]


def note(number: int, *, file: str = "ledger", log: Sequence[LogEntry] = LOG) -> VerifiedNote:
    """Return the nth checkpoint of a log, of 2n events."""
    root = root_of(map(entry_hash, log[: 2 * number]))
    checkpoint = Checkpoint(origin="log", size=2 * number, root=root)
    return found_at(NoteLocation(file=file, number=number), checkpoint)


def found_at(place: NoteLocation, checkpoint: Checkpoint) -> VerifiedNote:
    """Return a checkpoint as it is found."""
    text = f"{checkpoint}"
    return VerifiedNote(
        place=place,
        text=text,
        public_key="the key",
        digest=sha256(text.encode()).digest(),
        checkpoint=checkpoint,
    )


def chained(notes: Sequence[VerifiedNote]) -> tuple[VerifiedNote, ...]:
    """Return checkpoints as release 0.1 wrote them, each with the hash of the one before."""
    chain: list[VerifiedNote] = []
    for one in notes:
        previous = chain[-1].digest if chain else None
        chain.append(found_at(one.place, evolve(one.checkpoint, previous=previous)))
    return tuple(chain)


LEDGER: Final = tuple(map(note, range(1, 6)))
OLD: Final = chained(LEDGER)


def findings(
    entries: Sequence[LogEntry],
    ledger: Sequence[FoundNote] | None = LEDGER,
    held: Sequence[FoundNote] = (),
) -> list[Discrepancy]:
    checkpoints = KnownCheckpoints(own=None if ledger is None else tuple(ledger), held=tuple(held))
    return list(verified(rebuild_tree(entries, checkpoints.sizes), checkpoints).findings)


def codes(found: Sequence[Discrepancy]) -> list[tuple[str, int | None, int | None]]:
    return [(finding.code, finding.first, finding.last) for finding in found]


def test_an_untouched_log_agrees_with_all_its_checkpoints() -> None:
    checkpoints = KnownCheckpoints(own=LEDGER, held=(note(3, file="mine"), note(5, file="mine")))
    found = verified(rebuild_tree(LOG, checkpoints.sizes), checkpoints)
    assert (found.findings, found.agreed, found.covered) == ((), 5, 10)
    assert found.tree.root == LEDGER[-1].checkpoint.root


def test_events_after_the_last_checkpoint_are_not_covered() -> None:
    checkpoints = KnownCheckpoints(own=LEDGER[:2])
    found = verified(rebuild_tree(LOG, checkpoints.sizes), checkpoints)
    assert (found.findings, found.covered, found.tree.size) == ((), 4, 10)


def test_an_empty_log_agrees_with_nothing_at_all() -> None:
    assert findings((), ()) == []


@pytest.mark.parametrize("changed", range(1, 11))
@pytest.mark.parametrize(
    "edit",
    [
        lambda one: evolve(one, flow_id="flow-2"),
        lambda one: evolve(one, version=99),
        lambda one: evolve(one, name="made.v2"),
        lambda one: evolve(one, state=b"{ }"),
    ],
)
def test_a_changed_event_is_named_to_the_checkpoint(
    changed: int, edit: Callable[[LogEntry], LogEntry]
) -> None:
    log = [edit(one) if one.position == changed else one for one in LOG]
    after = (changed + 1) // 2 * 2
    (finding,) = findings(log)
    assert codes([finding]) == [("history_changed", after - 1, after)]
    assert finding.checkpoint == NoteLocation(file="ledger", number=after // 2)


def test_the_sentence_of_a_changed_event_says_where_to_look() -> None:
    log = [evolve(one, state=b"?") if one.position == 6 else one for one in LOG]
    (finding,) = findings(log)
    assert finding.sentence == (
        "ledger, checkpoint 3: its root differs from the log's: an event from position 5 to 6 was"
        " changed, removed, put in or moved; so do 2 later ones"
    )


@pytest.mark.parametrize("removed", range(1, 10))
def test_an_event_removed_from_the_middle_leaves_a_gap_and_another_tree(removed: int) -> None:
    found = findings([one for one in LOG if one.position != removed])
    after = (removed + 1) // 2 * 2
    short = [] if after == 10 else [("history_changed", after - 1, after)]
    expected = [("log_gap", removed + 1, None), *short, ("log_truncated", 10, 10)]
    assert codes(found) == expected


def test_the_gap_names_the_event_behind_it() -> None:
    finding = findings([one for one in LOG if one.position != 4])[0]
    assert (finding.flow_id, finding.version, finding.first) == ("flow-1", 5, 5)


@pytest.mark.parametrize("left", range(10))
def test_a_log_that_was_cut_lacks_the_events_up_to_the_last_checkpoint(left: int) -> None:
    assert codes(findings(LOG[:left])) == [("log_truncated", left + 1, 10)]


@pytest.mark.parametrize("place", range(10))
def test_an_event_put_in_is_named(place: int) -> None:
    log = numbered([*LOG[:place], evolve(LOG[0], version=77), *LOG[place:]])
    first = place // 2 * 2 + 1
    assert codes(findings(log)) == [("history_changed", first, first + 1)]


def test_two_events_in_each_others_place_are_named() -> None:
    log = numbered([*LOG[:4], LOG[5], LOG[4], *LOG[6:]])
    assert codes(findings(log)) == [("history_changed", 5, 6)]


def test_a_row_that_could_never_be_an_event_is_a_change_like_others() -> None:
    log = [evolve(one, version=-1) if one.position == 3 else one for one in LOG]
    assert codes(findings(log)) == [("history_changed", 3, 4)]


def test_a_checkpoint_of_another_history_is_told_from_a_changed_log() -> None:
    other = note(2, log=[evolve(one, state=b"other") for one in LOG])
    (finding,) = findings(LOG, [LEDGER[0], other, *LEDGER[2:]])
    assert (finding.code, finding.checkpoint) == ("checkpoint_forked", other.place)


@pytest.mark.parametrize("removed", range(4))
def test_a_removed_checkpoint_is_missed_only_by_who_holds_it(removed: int) -> None:
    left = [one for one in LEDGER if one is not LEDGER[removed]]
    assert findings(LOG, left) == []
    (finding,) = findings(LOG, left, [note(removed + 1, file="mine")])
    assert finding.code == "checkpoint_missing"


@pytest.mark.parametrize("removed", range(4))
def test_a_removed_checkpoint_breaks_the_chain_of_release_0_1(removed: int) -> None:
    (finding,) = findings(LOG, [one for one in OLD if one is not OLD[removed]])
    assert (finding.code, finding.checkpoint) == ("checkpoint_removed", OLD[removed + 1].place)


@pytest.mark.parametrize("count", range(6))
def test_a_file_that_two_releases_wrote_agrees_and_its_older_part_is_a_chain(count: int) -> None:
    both = [*OLD[:count], *LEDGER[count:]]
    assert findings(LOG, both) == []
    for removed in range(count - 1):
        (finding,) = findings(LOG, [*both[:removed], *both[removed + 1 :]])
        assert (finding.code, finding.checkpoint) == ("checkpoint_removed", OLD[removed + 1].place)


def test_the_last_checkpoint_is_missed_only_by_who_holds_it() -> None:
    assert findings(LOG, LEDGER[:4]) == []
    (finding,) = findings(LOG, LEDGER[:4], [note(5, file="mine")])
    assert (finding.code, finding.checkpoint) == (
        "checkpoint_missing",
        NoteLocation(file="mine", number=5),
    )


def test_a_file_of_checkpoints_that_is_gone_is_missed_by_who_holds_one() -> None:
    assert [one.code for one in findings(LOG, (), [note(3)])] == ["checkpoint_missing"]


def test_what_was_put_away_needs_no_file_of_the_log() -> None:
    assert findings(LOG, None, [note(2), note(4)]) == []
    assert codes(findings(LOG[:7], None, [note(2), note(4)])) == [("log_truncated", 8, 8)]


def test_exchanged_checkpoints_shrink() -> None:
    ledger = [LEDGER[0], LEDGER[2], LEDGER[1], *LEDGER[3:]]
    (finding,) = findings(LOG, ledger)
    assert (finding.code, finding.checkpoint) == ("checkpoint_shrinks", LEDGER[1].place)
    found = findings(LOG, [LEDGER[0], LEDGER[3], LEDGER[1], LEDGER[2], LEDGER[4]])
    assert [(one.code, one.checkpoint) for one in found] == [
        ("checkpoint_shrinks", LEDGER[1].place),
        ("checkpoint_shrinks", LEDGER[2].place),
    ]
    bad = UnverifiedNote(place=LEDGER[3].place, code="checkpoint_unreadable", reason="it")
    found = findings(LOG, [LEDGER[0], LEDGER[2], bad, LEDGER[1]])
    assert [one.code for one in found] == ["checkpoint_unreadable", "checkpoint_shrinks"]


def test_exchanged_checkpoints_break_the_chain_of_release_0_1() -> None:
    ledger = [OLD[0], OLD[2], OLD[1], *OLD[3:]]
    assert [one.code for one in findings(LOG, ledger)] == ["checkpoint_removed"] * 3


def test_a_checkpoint_twice_is_no_finding_and_counts_once() -> None:
    checkpoints = KnownCheckpoints(own=(*LEDGER, LEDGER[-1]))
    found = verified(rebuild_tree(LOG, checkpoints.sizes), checkpoints)
    assert (found.findings, found.agreed) == ((), 5)


@pytest.mark.parametrize("place", ["ledger", "held"])
def test_a_checkpoint_of_another_log_is_named_and_not_compared(place: str) -> None:
    other = evolve(LEDGER[2].checkpoint, origin="other", root=bytes(32), size=99)
    foreign = found_at(NoteLocation(file=place, number=9), other)
    ledger, held = ([*LEDGER, foreign], []) if place == "ledger" else (LEDGER, [foreign])
    found = findings(LOG, ledger, held)
    assert found[0].code == "checkpoint_foreign"
    assert found[0].sentence == f"{foreign.place}: it is of another log, other, and not of log"
    assert [one.code for one in found[1:]] == ["checkpoint_missing"] * len(held)


def test_a_rejected_checkpoint_is_told_once_and_the_others_still_count() -> None:
    bad = UnverifiedNote(
        place=LEDGER[2].place, code="checkpoint_not_signed", reason="its signature"
    )
    log = [evolve(one, state=b"?") if one.position == 7 else one for one in LOG]
    found = findings(log, [*LEDGER[:2], bad, *LEDGER[3:]])
    assert [one.code for one in found] == ["checkpoint_not_signed", "history_changed"]
    assert found[0].sentence == "ledger, checkpoint 3: its signature"


def test_progress_is_told_while_a_long_log_is_folded() -> None:
    told: list[int] = []
    entry = LOG[0]
    log = rebuild_tree((evolve(entry, position=n) for n in range(1, 20_002)), (), told.append)
    assert (log.size, told) == (20_001, [10_000, 20_000])


LONG: Final = numbered([evolve(LOG[0], version=number) for number in range(1, 3 * TILE + 51)])
"""A log of three tiles and some more."""


def signed_at(size: int) -> VerifiedNote:
    """Return a checkpoint of the long log."""
    root = root_of(map(entry_hash, LONG[:size]))
    checkpoint = Checkpoint(origin="log", size=size, root=root)
    return found_at(NoteLocation(file="mine", number=1), checkpoint)


def bounds(changed: int, tiles: Sequence[bytes], *sizes: int) -> tuple[int | None, int | None]:
    log = [evolve(one, state=b"?") if one.position == changed else one for one in LONG]
    checkpoints = KnownCheckpoints(held=tuple(map(signed_at, sizes)), tiles=tiles)
    (finding,) = verified(rebuild_tree(log, checkpoints.sizes), checkpoints).findings
    return finding.first, finding.last


@pytest.mark.parametrize("size", [3 * TILE, 3 * TILE + 1, len(LONG)])
@pytest.mark.parametrize("changed", [1, TILE, TILE + 1, 2 * TILE + 7, 3 * TILE])
def test_tiles_that_a_signature_bears_out_say_where_the_change_is(size: int, changed: int) -> None:
    tiles = list(tile_roots(map(entry_hash, LONG)))
    tile = (changed - 1) // TILE
    assert bounds(changed, tiles, size) == (tile * TILE + 1, (tile + 1) * TILE)
    assert bounds(changed, [], size) == (1, size)
    assert bounds(changed, tiles[:2], size) == (1, size)
    assert bounds(changed, [*tiles[:2], bytes(32)], size) == (1, size)


def test_a_change_behind_the_last_tile_has_the_checkpoints_for_bounds() -> None:
    tiles = list(tile_roots(map(entry_hash, LONG)))
    assert bounds(3 * TILE + 9, tiles, 100, len(LONG)) == (101, len(LONG))


def test_a_checkpoint_within_the_changed_tile_bounds_it_closer() -> None:
    tiles = list(tile_roots(map(entry_hash, LONG)))
    assert bounds(TILE + 60, tiles, TILE + 50, len(LONG)) == (TILE + 51, 2 * TILE)


def test_the_root_of_a_long_log_is_that_of_the_definition() -> None:
    log = rebuild_tree(LONG, {0, 1, TILE, TILE + 1})
    assert log.root == root_of(map(entry_hash, LONG))
    assert {size: prefix.root for size, prefix in log.prefixes.items()} == {
        size: root_of(map(entry_hash, LONG[:size])) for size in (0, 1, TILE, TILE + 1)
    }


def verdict(
    log: Sequence[LogEntry], ledger: Sequence[VerifiedNote], tiles: Sequence[bytes] = ()
) -> str:
    checkpoints = KnownCheckpoints(held=tuple(ledger), tiles=tiles)
    found = verified(rebuild_tree(log, checkpoints.sizes), checkpoints)
    cut = next(one for one in found.findings if one.code == "log_truncated")
    assert found.missing == ledger[-1].checkpoint.size - len(log)
    kind = "short" if found.is_short_copy else "not short"
    return f"{kind}: {cut.sentence.partition('missing; ')[2]}"


def test_a_short_copy_is_told_from_a_rewritten_one() -> None:
    rewritten = [evolve(one, state=b"?") for one in LOG[:7]]
    assert verdict(LOG[:7], LEDGER) == (
        "short: it is a short copy, its first 6 events are those that were signed"
    )
    assert verdict(rewritten, LEDGER) == (
        "not short: those before are not all the ones that were signed: it was rewritten, not only"
        " cut"
    )
    assert verdict(LOG[:7], LEDGER[4:]) == (
        "not short: no earlier checkpoint says whether those before are the ones that were signed"
    )


def test_tiles_tell_a_short_copy_where_no_checkpoint_does() -> None:
    log = [evolve(LOG[0], position=number, version=number) for number in range(1, 3 * TILE + 1)]
    tiles = tuple(tile_roots(map(entry_hash, log)))
    last = [note(3 * TILE // 2, log=log)]
    assert verdict(log[: 2 * TILE + 5], last, tiles) == (
        "not short: by the tiles, which nobody signed, its first 512 events are right"
    )
    rewritten = numbered([*log[:TILE], evolve(log[0], state=b"?"), *log[TILE : 2 * TILE + 4]])
    assert verdict(rewritten, [note(1, log=log), *last], tiles) == (
        "not short: by the tiles, which nobody signed, it was rewritten too, from position 257 on"
    )
