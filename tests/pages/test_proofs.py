from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from attrs import evolve

from adapters.pages.proofs import PATIENCE_SECONDS
from domain.application.ports import Progress
from domain.history.audit_log import LogEntry
from domain.tlog.proofs import ProofResult
from tests.pages.seeds import DESK_OF_PROOFS, Seeds, Sown, sow
from tests.pages.workbench import Desk, desk_over, seen


def test_a_flows_page_says_that_its_event_is_proven(desk: Desk, seeds: Seeds) -> None:
    text = seen(desk.page(f"/flows/{seeds.busy}?at=8")).text
    assert "Proven. The checkpoint of 141 events, signed by sown" in text
    assert "holds event 8 of the log as it is stored here, to the byte." in text


def test_an_event_that_no_checkpoint_covers_is_not_called_proven(desk: Desk, seeds: Seeds) -> None:
    for path in (f"/flows/{seeds.pending}", f"/proofs/{seeds.pending}?at=3"):
        text = seen(desk.page(path)).text
        assert "Not proven." in text
        assert "no checkpoint by sown covers the event at position 144 yet" in text
        assert "Proven." not in text


def test_a_proof_can_be_taken_away_and_checked(
    desk: Desk, seeds: Seeds, sown: Sown, tmp_path: Path
) -> None:
    answer = desk.get(f"/proofs/{seeds.busy}?at=8&as=json")
    assert answer.headers["content-disposition"] == 'attachment; filename="proof-8.json"'
    document = json.loads(answer.text)
    assert (document["flow"], document["version"]) == (seeds.busy, 8)
    file = tmp_path / "proof.json"
    file.write_text(answer.text, "utf-8")
    assert DESK_OF_PROOFS.judge(file, [sown.public_key]).holds


def test_a_proof_that_takes_long_is_left_to_its_own_page(desk: Desk, seeds: Seeds) -> None:
    """Without tiles the whole log is read, and `progress` is told of every 10,000 events."""

    def slow(_: LogEntry, progress: Progress) -> ProofResult:
        progress(10_000, 1_000_000)
        desk.seconds += PATIENCE_SECONDS / 2
        progress(20_000, 1_000_000)
        desk.seconds += PATIENCE_SECONDS
        progress(30_000, 1_000_000)
        raise AssertionError

    desk.rearrange(prove=slow)
    said = "Not proven here: no tiles stand beside the checkpoints"
    assert said in seen(desk.page(f"/flows/{seeds.busy}")).text
    assert desk.seconds == 0.0
    assert said in seen(desk.page(f"/proofs/{seeds.busy}?at=1")).text
    assert desk.seconds == 1.5 * PATIENCE_SECONDS


def test_a_changed_event_is_not_what_was_signed(tmp_path: Path) -> None:
    sown = sow(tmp_path, long=3)
    with sqlite3.connect(tmp_path / "flows.db") as database:
        database.execute("UPDATE stored_events SET state = state || ' ' WHERE rowid = 8")
        database.execute("UPDATE stored_events SET state = CAST(state AS BLOB) WHERE rowid = 8")
    database.close()
    with desk_over(sown) as desk:
        text = seen(desk.page(f"/flows/{sown.seeds.busy}?at=8")).text
    assert "Not what was signed." in text
    assert "Proven." not in text


def test_a_checkpoint_of_another_key_proves_nothing(sown: Sown, seeds: Seeds) -> None:
    stranger = DESK_OF_PROOFS.keygen(sown.checkpoints.with_name("stranger.key"), "stranger")
    with desk_over(evolve(sown, public_key=stranger)) as desk:
        text = seen(desk.page(f"/flows/{seeds.busy}")).text
    assert "Not proven." in text
    assert "Proven." not in text


def test_a_proof_page_shows_the_event_as_it_is_stored(desk: Desk, seeds: Seeds) -> None:
    page = desk.page(f"/proofs/{seeds.hostile}?at=1")
    assert "taskflow.flow_created.v1" in page
    assert "<script" not in page
    assert "\u202e" not in page


def test_an_event_that_is_not_there_is_named(desk: Desk, seeds: Seeds) -> None:
    answer = desk.get(f"/proofs/{seeds.busy}?at=99")
    assert answer.status_code == 404
    assert "There is no version 99 of flow" in seen(answer.text).text
    assert desk.get(f"/proofs/{seeds.busy}").status_code == 400
