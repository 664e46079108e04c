"""Signing and proving over real stores, whose files are then edited as an intruder would."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import pytest
from attrs import evolve

from adapters.audit.checkpoint_file import continued
from adapters.audit.checkpoint_reading import read_found_notes, read_notes
from adapters.audit.checkpoint_text import checkpoint_text
from adapters.audit.checkpointing import (
    CheckpointSigner,
    append_checkpoint,
    append_if_grown,
    check_continuable,
)
from adapters.audit.keys import Signer
from adapters.audit.notes import signed_note
from adapters.audit.proof_document import parse_proof, proof_document
from adapters.audit.proving import Against, judged, prove
from adapters.audit.tile_file import read_tiles, tiles_path
from adapters.store import StoreAuditLog, open_for_reading
from domain.flow.commands import CreateFlow, SetWaiting
from domain.flow.ids import FlowId
from domain.history.audit_log import AuditLog, LogEntry
from domain.tlog.checkpoints import Checkpoint, KnownCheckpoints, Unprovable, VerifiedNote
from domain.tlog.compact_range import root_of
from domain.tlog.leaves import entry_hash
from domain.tlog.rebuild_tree import rebuild_tree
from domain.tlog.verifying import verified
from tests.audit.release_0_1 import GOLDEN, GOLDEN_LOG
from tests.audit.release_0_1 import SIGNER as OLD_SIGNER
from tests.cli.workbench import seeding

SIGNER: Final = Signer.generate("flows.example")
OTHER: Final = Signer.generate("flows.example")
STRANGER: Final = Signer.generate("flows.example")
MANY: Final = 300


def silent(_done: int, _all: int) -> None:
    """Show no progress."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a store of 300 events, a tile and some more."""
    path = tmp_path_factory.mktemp("store") / "flows.db"
    with seeding(f"sqlite:///{path}") as bench:
        for number in range(MANY // 2):
            flow = bench.execute(CreateFlow(goal=f"{number}", controller_id="webhooks/a")).flow
            bench.execute(SetWaiting(flow_id=flow.flow_id, expected_revision=0))
    return path.read_bytes()


@pytest.fixture
def path(template: bytes, tmp_path: Path) -> Path:
    """The file of such a store."""
    file = tmp_path / "flows.db"
    file.write_bytes(template)
    return file


@pytest.fixture
def signer(tmp_path: Path) -> CheckpointSigner:
    """Who signs."""
    return CheckpointSigner(file=tmp_path / "log", key=SIGNER, origin="flows.example")


@contextmanager
def audit_log_of(path: Path) -> Iterator[AuditLog]:
    with closing(open_for_reading(f"sqlite:///{path}")) as store:
        yield StoreAuditLog(store)


def taken(path: Path, signer: CheckpointSigner) -> Checkpoint:
    with audit_log_of(path) as audit_log:
        return append_checkpoint(audit_log, signer, progress=silent).checkpoint


def grow(path: Path, count: int) -> None:
    """Let some more happen: the first event again and again, of other flows."""
    edit(
        path,
        "WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < ?)"
        " INSERT INTO stored_events SELECT originator_id || value, 1, topic, state"
        " FROM n, stored_events WHERE stored_events.rowid = 1",
        count,
    )


def edit(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


def test_a_checkpoint_says_what_the_log_is(path: Path, signer: CheckpointSigner) -> None:
    made = taken(path, signer)
    with audit_log_of(path) as audit_log:
        root = root_of(map(entry_hash, audit_log.entries()))
    assert made == Checkpoint(origin="flows.example", size=MANY, root=root)
    (read,) = read_found_notes(signer.file, [SIGNER.verifier])
    assert isinstance(read, VerifiedNote)
    assert read.checkpoint == made
    assert len(read_tiles(signer.file)) == 1


@pytest.mark.parametrize("length", [0, 31, 32, 131])
@pytest.mark.parametrize("first", [None, 0])
def test_the_next_checkpoint_is_right_whatever_the_tiles_are(
    path: Path, signer: CheckpointSigner, length: int, first: int | None
) -> None:
    taken(path, signer)
    grow(path, 700)
    tiles = tiles_path(signer.file)
    octets = bytearray(tiles.read_bytes() + bytes(99))
    octets[0] = octets[0] if first is None else octets[0] ^ 1
    tiles.write_bytes(octets[:length])
    is_ours = first is None or not length
    second = taken(path, signer)
    with audit_log_of(path) as audit_log:
        assert second.root == root_of(map(entry_hash, audit_log.entries()))
    if is_ours:
        assert len(read_tiles(signer.file)) == 3
    else:
        assert tiles.read_bytes() == octets[:length]


def test_a_file_of_tiles_that_is_not_ours_is_left_alone(
    path: Path, signer: CheckpointSigner
) -> None:
    theirs, tiles = path.with_name("theirs"), tiles_path(signer.file)
    theirs.write_bytes(b"theirs")
    passing = tiles.with_name(f"{tiles.name}.new")
    passing.symlink_to(theirs)  # the name of the temporary file of earlier versions
    for make in (
        lambda: tiles.write_bytes(b"theirs"),
        tiles.mkdir,
        lambda: os.mkfifo(tiles),
        lambda: tiles.symlink_to(theirs),
        lambda: tiles.symlink_to(tiles),
        lambda: tiles.symlink_to(path),
    ):
        make()
        before = path.read_bytes(), tiles.lstat()
        with audit_log_of(path) as audit_log:
            (notice,) = append_checkpoint(audit_log, signer, progress=silent).notices
        assert notice.startswith(f"{tiles}: is not the tiles of this log")
        assert (path.read_bytes(), tiles.lstat().st_ino) == (before[0], before[1].st_ino)
        assert theirs.read_bytes() == b"theirs"
        if tiles.is_dir() and not tiles.is_symlink():
            tiles.rmdir()
        else:
            tiles.unlink()


def test_a_link_to_the_tiles_stays_a_link(path: Path, signer: CheckpointSigner) -> None:
    taken(path, signer)
    tiles = tiles_path(signer.file)
    elsewhere = tiles.rename(tiles.with_name("elsewhere"))
    tiles.symlink_to(elsewhere)
    grow(path, 700)
    taken(path, signer)
    assert tiles.is_symlink()
    assert len(read_tiles(signer.file)) == 3


def test_nothing_is_appended_if_nothing_has_happened(path: Path, signer: CheckpointSigner) -> None:
    with audit_log_of(path) as audit_log:
        assert append_if_grown(audit_log, signer) is not None
        assert append_if_grown(audit_log, signer) is None
    grow(path, 1)
    with audit_log_of(path) as audit_log:
        made = append_if_grown(audit_log, signer)
    assert made is not None
    assert made.checkpoint.size == MANY + 1


@pytest.mark.parametrize(
    ("statement", "clause"),
    [
        ("DELETE FROM stored_events WHERE rowid > 299", "has 299 events, of 300"),
        ("DELETE FROM stored_events WHERE rowid = 280", "no event at position 280"),
        ("UPDATE stored_events SET state = x'00' WHERE rowid = 280", "is not the one that it was"),
        ("UPDATE stored_events SET topic = 'x' WHERE rowid = 9", None),
    ],
)
def test_a_history_that_was_changed_gets_no_good_signature(
    path: Path, signer: CheckpointSigner, statement: str, clause: str | None
) -> None:
    first = taken(path, signer)
    edit(path, statement)
    if clause is not None:
        with pytest.raises(Unprovable, match=clause):
            taken(path, signer)
        assert len(read_notes(signer.file).whole) == 1
        return
    # What the tiles cover is not read again: the history is signed as it was, not as it is now.
    assert taken(path, signer).root == first.root
    tiles_path(signer.file).unlink()
    with pytest.raises(Unprovable, match="is not the one that it was"):
        taken(path, signer)


def test_a_log_that_grows_while_it_is_read_is_read_up_to_the_size_it_had(path: Path) -> None:
    with audit_log_of(path) as audit_log:
        before = rebuild_tree(audit_log.entries())
        size = audit_log.size()
        entries = audit_log.entries(1, size)
        first = next(entries)
        grow(path, 2000)
        assert rebuild_tree([first, *entries]) == before
        assert audit_log.size() == size + 2000


def test_of_those_who_sign_the_same_at_once_one_signs(path: Path, signer: CheckpointSigner) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _number: taken(path, signer), range(8)))
    given = KnownCheckpoints(own=read_found_notes(signer.file, [SIGNER.verifier]))
    with audit_log_of(path) as audit_log:
        found = verified(rebuild_tree(audit_log.entries(), given.sizes), given)
    assert (len(given.own or ()), found.findings) == (1, ())


def test_a_file_is_continued_by_its_own_signer_only(path: Path, signer: CheckpointSigner) -> None:
    taken(path, signer)
    before = signer.file.read_bytes()
    for other, clause in (
        (evolve(signer, key=OTHER), "is not by the key"),
        (evolve(signer, key=OTHER, predecessors=(STRANGER.verifier,)), "is not by the key"),
        (evolve(signer, origin="other.example"), "is not one of other.example"),
    ):
        for doing in (lambda: taken(path, other), lambda: check_continuable(other)):  # noqa: B023 - used at once
            with pytest.raises(Unprovable, match=clause):
                doing()
    assert signer.file.read_bytes() == before


def test_a_file_into_which_checkpoints_of_another_log_were_put_is_left_alone(
    path: Path, signer: CheckpointSigner
) -> None:
    other = evolve(signer, file=signer.file.with_name("other"), origin="other.example")
    taken(path, other)
    taken(path, signer)
    mixed = other.file.read_bytes() + signer.file.read_bytes()
    signer.file.write_bytes(mixed)
    grow(path, 1)
    for doing in (lambda: taken(path, signer), lambda: check_continuable(signer)):
        with pytest.raises(Unprovable, match="its checkpoint 1 is not one of"):
            doing()
    assert signer.file.read_bytes() == mixed


def test_a_file_goes_on_under_the_key_that_takes_the_place_of_another(
    path: Path, signer: CheckpointSigner
) -> None:
    taken(path, signer)
    rotated = evolve(signer, key=OTHER, predecessors=(SIGNER.verifier,))
    check_continuable(rotated)
    with audit_log_of(path) as audit_log:
        made = append_if_grown(audit_log, rotated)
        assert made is not None, "the new key signs at once what the other one has signed"
        assert append_if_grown(audit_log, rotated) is None
    grow(path, 1)
    taken(path, rotated)
    with pytest.raises(Unprovable, match="is not by the key"):
        taken(path, signer)
    codes = ["checkpoint_not_signed"]
    for keys, expected in (
        ([OTHER.verifier, SIGNER.verifier], []),
        ([SIGNER.verifier, OTHER.verifier], []),
        ([SIGNER.verifier], 2 * codes),
        ([OTHER.verifier], codes),
    ):
        given = KnownCheckpoints(own=read_found_notes(signer.file, keys))
        with audit_log_of(path) as audit_log:
            found = verified(rebuild_tree(audit_log.entries(), given.sizes), given)
        assert [one.code for one in found.findings] == expected


def test_a_file_of_release_0_1_is_continued_and_verified_as_one(tmp_path: Path) -> None:
    signer = CheckpointSigner(file=tmp_path / "log", key=OLD_SIGNER, origin="flows.example")
    shutil.copy(GOLDEN, signer.file)
    keys = [OLD_SIGNER.verifier]

    def codes() -> list[str]:
        given = KnownCheckpoints(own=read_found_notes(signer.file, keys))
        return [one.code for one in verified(rebuild_tree(GOLDEN_LOG, given.sizes), given).findings]

    assert codes() == []
    with continued(signer.file, signer.origin) as file:
        root = root_of(map(entry_hash, GOLDEN_LOG))
        text = checkpoint_text(Checkpoint(origin=signer.origin, size=len(GOLDEN_LOG), root=root))
        file.append(signed_note(text, signer.key))
    check_continuable(signer)
    assert codes() == []
    notes = read_notes(signer.file).whole
    for removed in range(3):
        rest = (*notes[:removed], *notes[removed + 1 :])
        signer.file.write_bytes(b"".join(note + b"\n" for note in rest))
        assert codes() == ["checkpoint_removed"]
    witness = "\u2014 witness.example AAAA\n".encode()
    signer.file.write_bytes(b"".join(note + witness + b"\n" for note in notes))
    assert codes() == [], "a witness may sign what is in the file, too"


def against(signer: CheckpointSigner, held: Path | None = None) -> Against:
    return Against(file=signer.file, verifiers=[SIGNER.verifier], held=held)


def proof_of(
    audit_log: AuditLog, entry: LogEntry, signer: CheckpointSigner
) -> tuple[bool, str | None]:
    verdict = prove(audit_log, entry, against(signer), progress=silent)
    return verdict.holds, verdict.reason


def test_every_event_that_is_covered_can_be_proven(path: Path, signer: CheckpointSigner) -> None:
    taken(path, signer)
    grow(path, 5)
    with audit_log_of(path) as audit_log:
        for entry in audit_log.entries(1, MANY):
            if entry.position % 23 in {0, 1}:
                assert proof_of(audit_log, entry, signer) == (True, None)
        last = next(iter(audit_log.entries(MANY + 1)))
        with pytest.raises(Unprovable, match="covers the event at position 301 yet"):
            proof_of(audit_log, last, signer)


@pytest.mark.parametrize("changed", [1, 200, 290])
def test_an_event_that_was_changed_is_not_proven(
    path: Path, signer: CheckpointSigner, changed: int
) -> None:
    taken(path, signer)
    edit(path, "UPDATE stored_events SET state = x'00' WHERE rowid = ?", changed)
    with audit_log_of(path) as audit_log:
        (entry,) = audit_log.entries(changed, changed)
        holds, reason = proof_of(audit_log, entry, signer)
        assert not holds
        assert reason is not None


def test_a_proof_is_judged_by_itself_and_each_part_of_it_counts(
    path: Path, signer: CheckpointSigner
) -> None:
    taken(path, signer)
    with audit_log_of(path) as audit_log:
        (entry,) = audit_log.entries(42, 42)
        made = prove(audit_log, entry, against(signer), progress=silent).proof
    assert judged(made, [SIGNER.verifier]).holds
    assert not judged(made, [OTHER.verifier]).holds
    edits: tuple[Callable[[LogEntry], LogEntry], ...] = (
        lambda one: evolve(one, position=43),
        lambda one: evolve(one, flow_id=FlowId("other")),
        lambda one: evolve(one, version=7),
        lambda one: evolve(one, name="other"),
        lambda one: evolve(one, state=one.state + b" "),
    )
    for change in edits:
        assert not judged(evolve(made, entry=change(entry)), [SIGNER.verifier]).holds
    for place in range(len(made.hashes)):
        path_ = (*made.hashes[:place], bytes(32), *made.hashes[place + 1 :])
        assert not judged(evolve(made, hashes=path_), [SIGNER.verifier]).holds
    note = made.note.replace("\n300\n", "\n301\n")
    assert not judged(evolve(made, note=note), [SIGNER.verifier]).holds


def test_a_proof_says_that_the_log_continues_what_somebody_holds(
    path: Path, signer: CheckpointSigner, tmp_path: Path
) -> None:
    older = taken(path, signer)
    held = tmp_path / "held"
    shutil.copy(signer.file, held)
    grow(path, 333)
    newer = taken(path, signer)
    with audit_log_of(path) as audit_log:
        (entry,) = audit_log.entries(42, 42)
        verdict = prove(audit_log, entry, against(signer, held), progress=silent)
    proof = verdict.proof
    assert (verdict.checkpoint, verdict.older, verdict.reason) == (newer, older, None)
    assert parse_proof(json.dumps(proof_document(proof))) == proof
    since = proof.consistency
    assert since is not None
    for other in (
        evolve(since, hashes=since.hashes[1:]),
        evolve(since, hashes=(*since.hashes[:-1], bytes(32))),
        evolve(since, note=since.note.replace("\n300\n", "\n299\n")),
        evolve(since, note=proof.note),
    ):
        assert not judged(evolve(proof, consistency=other), [SIGNER.verifier]).holds


def test_a_file_without_a_checkpoint_that_can_be_continued_is_a_sentence(
    path: Path, signer: CheckpointSigner, tmp_path: Path
) -> None:
    taken(path, signer)
    (tmp_path / "held").touch()
    with audit_log_of(path) as audit_log:
        (entry,) = audit_log.entries(42, 42)
        with pytest.raises(Unprovable, match="has no checkpoint by"):
            prove(audit_log, entry, against(signer, tmp_path / "held"), progress=silent)


@pytest.mark.parametrize("text", ["", "[]", "{}", "\x00", "[" * 100_000, '{"format": 1}'])
def test_what_is_no_proof_is_a_sentence(text: str) -> None:
    with pytest.raises(Unprovable, match="not a proof"):
        parse_proof(text)


def test_no_part_of_a_proof_is_guessed(path: Path, signer: CheckpointSigner) -> None:
    taken(path, signer)
    with audit_log_of(path) as audit_log:
        (entry,) = audit_log.entries(42, 42)
        document = proof_document(prove(audit_log, entry, against(signer), progress=silent).proof)
    wrong: tuple[dict[str, object], ...] = (
        {"format": "taskflow.inclusion_proof.v2"},
        {"format": 1},
        {"version": 0},
        {"version": True},
        {"index": -1},
        {"index": 1.0},
        {"index": 1 << 63},
        {"state": "e30"},
        {"state": None},
        {"path": ["e30="]},
        {"path": "e30="},
        {"path": [document["state"]] * 65},
        {"flow": "\ud800"},
        {"checkpoint": None},
        {"more": 1},
        {"since": 1},
        {"since": {}},
        {"since": {"checkpoint": "", "path": [1]}},
    )
    assert parse_proof(json.dumps(document)).entry == entry
    for fields in wrong:
        with pytest.raises(Unprovable, match="not a proof"):
            parse_proof(json.dumps({**document, **fields}))
