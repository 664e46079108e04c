"""The auditor's commands that sign, compare and prove, over a store of a few flows."""

from __future__ import annotations

import json
import os
import re
import shutil
from base64 import b64encode
from pathlib import Path

import pytest
from attrs import frozen

from adapters.audit.checkpoint_reading import read_notes
from adapters.audit.key_file import read_key
from adapters.audit.keys import Signer
from adapters.audit.notes import signed_note
from adapters.cli import Dependencies
from tests.cli.damage import edit
from tests.cli.workbench import NOON, Ran, flow_id, taskflow

FLOW = flow_id(1)


@frozen
class Audit:
    """An auditor with a store, a key and a file of checkpoints."""

    tools: Dependencies
    folder: Path
    url: str

    def run(self, *argv: str) -> Ran:
        return taskflow(self.tools, "audit", *argv)

    @property
    def public(self) -> tuple[str, str]:
        return ("--public-key", (self.folder / "pub").read_text())

    @property
    def file(self) -> Path:
        return self.folder / "log"

    @property
    def store(self) -> tuple[str, ...]:
        return ("--database", self.url, "--checkpoints", str(self.file))

    def checkpoint(self, *options: str) -> Ran:
        return self.run("checkpoint", *self.store, "--key", str(self.folder / "key"), *options)

    def verify(self, *options: str) -> Ran:
        return self.run("verify", *self.store, *self.public, *options)

    def prove(self, *options: str) -> Ran:
        return self.run("prove", *options, *self.store, *self.public)


@pytest.fixture
def audit(tools: Dependencies, tmp_path: Path, seeded: str) -> Audit:
    """An auditor whose key is made."""
    made = taskflow(tools, "audit", "keygen", str(tmp_path / "key"), "--name", "flows.example")
    assert (made.code, made.err) == (0, "")
    (tmp_path / "pub").write_text(made.out.strip())
    return Audit(tools, tmp_path, seeded)


def test_a_key_is_told_by_its_public_part_only(audit: Audit) -> None:
    assert re.fullmatch(r"flows\.example\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{44}", audit.public[1])
    again = audit.run("keygen", str(audit.folder / "key"), "--name", "flows.example")
    assert (again.code, again.out) == (2, "")
    assert "there is such a file already" in again.err


def test_a_checkpoint_says_how_much_it_signed(audit: Audit) -> None:
    ran = audit.checkpoint()
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Signed 9 events of flows.example\nRoot ")
    assert ran.out.endswith("\nThe last of them was recorded at 2026-11-23T12:00:08Z\n")
    assert len(read_notes(audit.file).whole) == 1


def test_a_log_that_has_not_grown_is_not_signed_again(audit: Audit) -> None:
    first = json.loads(audit.checkpoint("--json").out)
    assert first.keys() == {"origin", "size", "root", "coveredUntil", "appended"}
    assert (first["size"], first["coveredUntil"], first["appended"]) == (9, NOON + 8000, True)
    ran = audit.checkpoint()
    assert ran.out.startswith("Nothing new since the checkpoint of 9 events of flows.example\n")
    assert json.loads(audit.checkpoint("--json").out) == {**first, "appended": False}
    assert len(read_notes(audit.file).whole) == 1


def test_a_log_without_checkpoints_has_a_root_and_nothing_is_compared(audit: Audit) -> None:
    ran = audit.run("verify", "--database", audit.url)
    root = re.search(r"Root (\S+)\n", ran.out)
    assert (ran.code, ran.err) == (0, "")
    assert root is not None
    assert "Nothing was compared: there is no checkpoint." in ran.out
    assert root[1] in audit.checkpoint().out


def test_an_untouched_log_agrees(audit: Audit) -> None:
    audit.checkpoint()
    ran = audit.verify()
    assert (ran.code, ran.err) == (0, "")
    assert "1 checkpoint agrees with it: the events up to position 9 are" in ran.out
    assert "The last of them was recorded at 2026-11-23T12:00:08Z.\n" in ran.out
    found = json.loads(audit.verify("--json").out)
    assert (found["events"], found["agreed"], found["covered"], found["findings"]) == (9, 1, 9, [])
    assert found["coveredUntil"] == NOON + 8000


def test_a_changed_event_is_a_finding(audit: Audit, path: Path) -> None:
    audit.checkpoint()
    edit(path, "UPDATE stored_events SET state = x'7b7d' WHERE rowid = 3")
    ran = audit.verify()
    assert (ran.code, ran.err) == (1, "")
    assert "history_changed" in ran.out
    (finding,) = json.loads(audit.verify("--json").out)["findings"]
    assert {name: finding[name] for name in ("code", "checkpoint", "first", "last")} == {
        "code": "history_changed",
        "checkpoint": {"file": str(audit.file), "number": 1},
        "first": 1,
        "last": 9,
    }


def test_a_checkpoint_that_was_put_away_must_still_be_there(audit: Audit) -> None:
    audit.checkpoint()
    mine = audit.folder / "mine"
    shutil.copy(audit.file, mine)
    assert audit.verify("--held", str(mine)).code == 0
    audit.file.unlink()
    audit.checkpoint("--json")
    ran = audit.verify("--held", str(mine))
    assert ran.code == 0, "the same key, clock and log: the same checkpoint"
    audit.file.write_bytes(b"")
    ran = audit.verify("--held", str(mine))
    assert ran.code == 1
    assert "checkpoint_missing" in ran.out


def test_a_copy_that_a_witness_has_signed_is_one_that_is_still_there(audit: Audit) -> None:
    audit.checkpoint()
    mine = audit.folder / "mine"
    (note,) = read_notes(audit.file).whole
    mine.write_bytes(note + "\u2014 witness.example AAAA\n".encode())
    ran = audit.verify("--held", str(mine))
    assert (ran.code, ran.err) == (0, "")
    assert "1 checkpoint agrees with it" in ran.out


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("", "holds no checkpoint"), (None, "its lines end in CR LF"), ("pipe", "holds no")],
)
def test_a_copy_without_a_checkpoint_is_a_sentence(
    audit: Audit, content: str | None, sentence: str
) -> None:
    audit.checkpoint()
    mine = audit.folder / "mine"
    if content == "pipe":
        os.mkfifo(mine)
    else:
        converted = audit.file.read_bytes().replace(b"\n", b"\r\n")
        mine.write_bytes(converted if content is None else b"")
    ran = audit.verify("--held", str(mine))
    assert (ran.code, ran.out) == (2, "")
    assert sentence in ran.err
    assert len(ran.err.splitlines()) == 1


def test_another_logs_checkpoint_is_a_finding_that_names_both(audit: Audit) -> None:
    audit.checkpoint()
    mine = audit.folder / "mine"
    text = audit.file.read_text().partition("\n\n")[0].replace("flows.example", "other.example")
    mine.write_text(signed_note(f"{text}\n", read_key(audit.folder / "key")))
    ran = audit.verify("--held", str(mine), "--json")
    assert ran.code == 1
    codes = [finding["code"] for finding in json.loads(ran.out)["findings"]]
    assert codes == ["checkpoint_foreign", "checkpoint_missing"]


def test_a_log_whose_key_was_rotated_is_verified_in_one_run(audit: Audit) -> None:
    audit.checkpoint()
    new = Signer.generate("flows.example")
    text = audit.file.read_text().partition("\n\n")[0]
    with audit.file.open("a") as file:
        file.write(signed_note(f"{text}\n", new) + "\n")
    one = audit.verify("--json")
    assert (one.code, json.loads(one.out)["agreed"]) == (1, 1)
    both = audit.verify("--json", "--public-key", str(new.verifier))
    assert (both.code, json.loads(both.out)["findings"]) == (0, [])
    proof = audit.folder / "proof.json"
    more = ("--public-key", str(new.verifier))
    assert audit.prove(FLOW, "1", "--out", str(proof), *more).code == 0
    assert audit.run("verify-proof", str(proof), *audit.public).code == 1
    assert audit.run("verify-proof", str(proof), *audit.public, *more).code == 0
    pack = ("export", str(audit.folder / "pack.zip"), "--format", "pack", *audit.store)
    assert audit.run(*pack, *audit.public, *more).code == 0


def test_an_event_is_proven_to_whoever_has_the_public_key(audit: Audit) -> None:
    audit.checkpoint()
    out = audit.folder / "proof.json"
    made = audit.prove(FLOW, "r1", "--out", str(out))
    assert (made.code, made.err) == (0, "")
    assert f"version 2 of flow {FLOW}, position 2" in made.out
    assert out.read_text() == audit.prove(FLOW, "2").out
    ran = audit.run("verify-proof", str(out), *audit.public)
    assert (ran.code, ran.err) == (0, "")
    assert "Proven: " in ran.out
    assert "taskflow.flow_began_waiting.v1" in ran.out
    found = json.loads(audit.run("verify-proof", str(out), *audit.public, "--json").out)
    assert (found["proven"], found["flowId"], found["version"]) == (True, FLOW, 2)
    assert found["event"]["event"]["current_step"] == "approval"


def test_a_changed_proof_proves_nothing(audit: Audit) -> None:
    audit.checkpoint()
    out = audit.folder / "proof.json"
    document = json.loads(audit.prove(FLOW, "2").out)
    out.write_text(json.dumps({**document, "version": 3}))
    ran = audit.run("verify-proof", str(out), *audit.public)
    assert (ran.code, ran.err) == (1, "")
    assert ran.out.startswith("Not proven: ")


def test_an_event_that_was_changed_is_not_proven(audit: Audit, path: Path) -> None:
    audit.checkpoint()
    edit(path, "UPDATE stored_events SET state = x'7b7d' WHERE rowid = 2")
    ran = audit.prove(FLOW, "2")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("taskflow: not proven: ")


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["prove", FLOW, "99"], "has no version 99"),
        (["prove", "none", "1"], "there is no flow none"),
        (["prove", FLOW, "yesterday"], "expected a version (7)"),
        (["verify", "--held", "/no/such/file"], "/no/such/file: No such file or directory"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(audit: Audit, argv: list[str], sentence: str) -> None:
    audit.checkpoint()
    ran = audit.run(*argv, *audit.store, *audit.public)
    assert (ran.code, ran.out) == (2, "")
    assert sentence in ran.err
    assert len(ran.err.splitlines()) == 1


def test_what_is_not_named_is_asked_for(audit: Audit) -> None:
    only = ("--database", audit.url)
    asked = {
        ("checkpoint", *only): "say which key signs",
        ("checkpoint", *only, "--key", str(audit.folder / "key")): "say which file",
        ("verify", *only, "--checkpoints", str(audit.folder / "pub")): "say by which key",
        ("prove", FLOW, "1", *only): "say which file",
        ("prove", FLOW, "1", *audit.store, "--public-key", "x"): "the public key is not of",
        ("prove", FLOW, "1", *audit.store, *audit.public): "No such file",
    }
    for argv, sentence in asked.items():
        ran = audit.run(*argv)
        assert (ran.code, ran.out, sentence in ran.err) == (2, "", True), ran


def test_an_event_that_no_checkpoint_covers_yet_has_no_proof(audit: Audit, path: Path) -> None:
    audit.checkpoint()
    edit(
        path,
        "INSERT INTO stored_events SELECT 'later', 1, topic, state FROM stored_events"
        " WHERE rowid = 1",
    )
    ran = audit.prove("later", "1")
    assert (ran.code, ran.out) == (2, "")
    assert "no checkpoint by flows.example covers the event at position 10 yet" in ran.err


def test_a_proof_is_not_put_over_another_file(audit: Audit) -> None:
    audit.checkpoint()
    out = audit.folder / "proof.json"
    out.write_text("mine")
    ran = audit.prove(FLOW, "1", "--out", str(out))
    assert (ran.code, out.read_text()) == (2, "mine")
    assert audit.prove(FLOW, "1", "--out", str(out), "--force").code == 0
    assert out.read_text() != "mine"


def test_a_file_with_a_hole_or_a_device_is_not_read_to_its_end(audit: Audit) -> None:
    audit.checkpoint()
    proof, held = audit.folder / "proof.json", audit.folder / "held"
    audit.prove(FLOW, "1", "--out", str(proof))
    held.write_bytes(audit.file.read_bytes())
    for file in (proof, held):
        with file.open("r+b") as opened:
            opened.truncate(1 << 40)
    ran = audit.run("verify-proof", str(proof), *audit.public)
    assert (ran.code, ran.out) == (2, "")
    assert "not a proof" in ran.err
    found = audit.verify("--held", str(held))
    assert found.code == 1
    assert "checkpoint_unreadable" in found.out
    for device in ("/dev/zero", str(audit.folder)):
        assert audit.run("verify-proof", device, *audit.public).code == 2
        assert audit.verify("--held", device).code == 2


STATES = (
    b'{"a":1000000000000000000000000000000}', b'{"a":1e999}', b"[" * 900 + b"]" * 900,
    b'"\\ud800"', b"NaN", b"\xff", b"[" * 100_000, b"1" * 5000, b"",
)  # fmt: skip


@pytest.mark.parametrize("state", STATES, ids=lambda state: repr(state[:20]))
def test_whatever_event_a_proof_holds_it_is_not_proven_in_words(audit: Audit, state: bytes) -> None:
    audit.checkpoint()
    file = audit.folder / "proof.json"
    audit.prove(FLOW, "1", "--out", str(file))
    document = json.loads(file.read_bytes())
    file.write_text(json.dumps({**document, "state": b64encode(state).decode()}))
    for options in ((), ("--json",)):
        ran = audit.run("verify-proof", str(file), *audit.public, *options)
        assert (ran.code, ran.err) == (1, "")
        assert "proven" in ran.out.lower()


def test_what_is_no_proof_is_a_sentence(audit: Audit) -> None:
    for content in (b"", b"\xff", b"{}"):
        (audit.folder / "proof.json").write_bytes(content)
        ran = audit.run("verify-proof", str(audit.folder / "proof.json"), *audit.public)
        assert (ran.code, ran.out) == (2, "")
        assert "not a proof" in ran.err
    missing = audit.run("verify-proof", str(audit.folder / "none"), *audit.public)
    assert (missing.code, missing.out) == (2, "")


def test_a_proof_in_which_a_name_stands_twice_is_none(audit: Audit) -> None:
    audit.checkpoint()
    file = audit.folder / "proof.json"
    audit.prove(FLOW, "1", "--out", str(file))
    file.write_text('{"version": 7,' + file.read_text().lstrip().removeprefix("{"))
    ran = audit.run("verify-proof", str(file), *audit.public)
    assert (ran.code, ran.out) == (2, "")
    assert "not a proof" in ran.err
