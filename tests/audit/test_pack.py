"""Evidence packs: what is in them, and that a stranger can verify them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pytest

from adapters.audit.checkpointing import CheckpointSigner, append_checkpoint
from adapters.audit.keys import Signer
from adapters.audit.notes import split_notes
from adapters.audit.pack.packing import Packer
from adapters.store import StoreFault
from domain.history.selection import Selection
from domain.tlog.checkpoints import Unprovable
from tests.audit.logs import fill
from tests.audit.packs import ORIGIN, Signed, packed, signed_log, silent, unpacked, verdict
from tests.audit.release_0_1 import made_old
from tests.store.tables import execute

FLOW: Final = "00000000-0000-4000-8000-000000000002"
ALL: Final = "120 between positions 1 and 120 read as they were stored"
CHOICES: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"last": 13},
    {"first": 20, "last": 33},
    {"first": 120},
    {"flow_id": FLOW},
    {"owner": "agent:main:main"},
    {"since": 1_795_435_205_000, "until": 1_795_435_215_000},
)


@pytest.fixture(scope="module", params=[0, 2, 4])
def signed(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Signed]:
    """A log that is only read; so many of its checkpoints are of release 0.1."""
    with signed_log(tmp_path_factory.mktemp("log"), old=request.param) as signed:
        yield signed


@pytest.fixture
def changing(tmp_path: Path) -> Iterator[Signed]:
    """A log that a test changes."""
    with signed_log(tmp_path) as signed:
        yield signed


def test_every_pack_verifies(signed: Signed, tmp_path: Path) -> None:
    for number, choice in enumerate(CHOICES):
        folder = unpacked(signed.pack(**choice), tmp_path / f"{number}")
        assert verdict(folder, str(signed.signer.verifier)) == (0, {})


def test_a_pack_of_a_log_whose_key_was_rotated_names_the_keys_that_signed_it(
    changing: Signed, tmp_path: Path
) -> None:
    old, new = changing.signer.verifier, Signer.generate("taskflow.example")
    before = changing.pack(last=120)
    checkpoint_signer = CheckpointSigner(
        file=changing.file, key=new, origin=ORIGIN, predecessors=(old,)
    )
    append_checkpoint(changing.audit_log, checkpoint_signer, progress=silent)
    fill(changing.service)
    append_checkpoint(changing.audit_log, checkpoint_signer, progress=silent)
    packer = Packer(changing.file, [new.verifier, old])
    assert packed(packer, changing.audit_log, Selection(first=1, last=120)) == before
    pack = packed(packer, changing.audit_log, Selection(first=1, last=160))
    folder = unpacked(pack, tmp_path / "pack")
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert (manifest["publicKey"], manifest["previousKeys"]) == (str(new.verifier), [str(old)])
    assert verdict(folder, str(old), str(new.verifier)) == (0, {})
    wrong = {"key": f"the pack was made for another key: {old}"}
    assert verdict(folder, str(new.verifier)) == (1, wrong)
    with pytest.raises(Unprovable, match="is not signed by the key"):
        packed(
            Packer(changing.file, [new.verifier]), changing.audit_log, Selection(first=1, last=160)
        )


def test_a_checkpoint_that_a_witness_has_signed_packs_and_verifies(
    changing: Signed, tmp_path: Path
) -> None:
    made_old(changing.file, changing.signer, 2)
    witness = "\u2014 witness.example AAAA\n".encode()
    notes = split_notes(changing.file.read_bytes()).whole
    signed = (note.replace(b"\n\n", b"\n\n" + witness) + witness for note in notes)
    changing.file.write_bytes(b"".join(note + b"\n" for note in signed))
    folder = unpacked(changing.pack(), tmp_path / "pack")
    assert verdict(folder, str(changing.signer.verifier)) == (0, {})


def test_the_same_range_packs_to_the_same_bytes_for_ever(changing: Signed) -> None:
    ranges = [{"last": 120, **choice} for choice in CHOICES]
    before = [changing.pack(**choice) for choice in ranges]
    changing.grow()
    assert [changing.pack(**choice) for choice in ranges] == before


def test_a_pack_of_a_range_needs_a_handful_of_hashes(signed: Signed, tmp_path: Path) -> None:
    folder = unpacked(signed.pack(first=50, last=80), tmp_path / "pack")
    stretches = (folder / "proofs" / "stretches.ndjson").read_text("utf-8").splitlines()
    bounds = [(json.loads(one)["first"], json.loads(one)["last"]) for one in stretches]
    assert bounds == [(1, 32), (33, 40), (41, 48), (49, 49)]


def test_a_manifest_says_what_was_asked_for(signed: Signed, tmp_path: Path) -> None:
    folder = unpacked(signed.pack(flow_id=FLOW, since=0), tmp_path / "pack")
    manifest = json.loads((folder / "manifest.json").read_bytes())
    files = {file.pop("name"): file["bytes"] for file in manifest.pop("files")}
    assert files == {
        str(path.relative_to(folder)): path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    assert manifest == {
        "format": "taskflow.evidence_pack.v1",
        "tool": "taskflow-webhooks 0.1.0",
        "publicKey": str(signed.signer.verifier),
        "range": {"first": 1, "last": 120, "flowId": FLOW, "since": "1970-01-01T00:00:00.000Z"},
        "events": 10,
    }


def stranger(folder: Path, *options: str, packages: Path | None = None) -> tuple[int, list[str]]:
    """Verify in a process that has Python's own library, and at most some packages beside it."""
    command = "import runpy, sys; sys.path.append(sys.argv.pop(1)); sys.argv.pop(0)"
    command += "; runpy.run_path(sys.argv[0], run_name='__main__')"
    verifier = str(folder / "verify.py")
    ran = subprocess.run(  # noqa: S603 - the verifier under test
        [sys.executable, "-I", "-S", "-c", command, str(packages or folder), verifier, *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr == ""
    return ran.returncode, ran.stdout.splitlines()


def beside(folder: Path) -> Path:
    """Return a folder with the package that checks signatures, and what it needs itself."""
    folder.mkdir()
    for name in ("cryptography", "cffi", "_cffi_backend"):
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        found = Path(spec.origin)
        found = found.parent if found.name == "__init__.py" else found
        (folder / found.name).symlink_to(found)
    return folder


def test_a_stranger_verifies_a_pack_with_nothing_of_ours(signed: Signed, tmp_path: Path) -> None:
    folder, key = unpacked(signed.pack(), tmp_path / "pack"), str(signed.signer.verifier)
    code, lines = stranger(folder, "--key", key, packages=beside(tmp_path / "packages"))
    assert lines == [
        "ok     manifest     taskflow.evidence_pack.v1, made by taskflow-webhooks 0.1.0",
        "ok     files        5 files are as the manifest says",
        f"ok     events       {ALL}; none is left out",
        "ok     checkpoints  4 of taskflow.example/log in order, the last over 120 events",
        f"ok     key          {key}, as given",
        "ok     signatures   4 are good, by taskflow.example",
        "ok     tree         the events lead to the root of every checkpoint, 4 in all",
        "",
        "VERIFIED: every event here is, to the byte, what was signed.",
        "It shows all events of the log from position 1 to 120: 120 events of 12 flows.",
        "It cannot show what happened after position 120.",
    ]
    assert code == 0


def test_what_cannot_be_checked_is_said_and_has_a_code_of_its_own(
    signed: Signed, tmp_path: Path
) -> None:
    folder, key = unpacked(signed.pack(), tmp_path / "pack"), str(signed.signer.verifier)
    code, lines = stranger(folder)
    assert [text for text in lines if not text.startswith("ok ")] == [
        f"OPEN   key          compare it with the key that you were given (or: --key KEY): {key}",
        "OPEN   signatures   NOT CHECKED: the package cryptography is not installed",
        "",
        "NOT VERIFIED: nothing is wrong, but what is marked OPEN could not be checked.",
    ]
    assert code == 2


def test_a_stranger_is_told_what_is_wrong(signed: Signed, tmp_path: Path) -> None:
    folder = unpacked(signed.pack(), tmp_path / "pack")
    (folder / "manifest.json").write_bytes(b"{")
    code, lines = stranger(folder)
    assert code == 1
    assert lines[0].startswith("WRONG  manifest     manifest.json cannot be read: ")
    assert lines[2].startswith("WRONG: do not rely on this pack")


def test_what_no_checkpoint_covers_is_not_packed(signed: Signed) -> None:
    with pytest.raises(Unprovable, match=r"no checkpoint by taskflow\.example covers position 121"):
        signed.pack(last=121)
    other = Packer(signed.file, [Signer.generate("somebody.else").verifier])
    with pytest.raises(Unprovable, match=r"no checkpoint by somebody\.else covers any event yet"):
        other.covered(signed.audit_log)
    with pytest.raises(Unprovable, match=r"no checkpoint by somebody\.else covers position 1 yet"):
        packed(other, signed.audit_log, Selection(first=1, last=1))


def test_nothing_is_not_packed(signed: Signed) -> None:
    with pytest.raises(Unprovable, match="no event is selected"):
        signed.pack(owner="agent:nobody")


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        ("UPDATE stored_events SET state = x'7b7d' WHERE rowid = 44", "position 41 to 80"),
        ("UPDATE stored_events SET originator_id = x'00' WHERE rowid = 44", "44: its flow"),
        ("DELETE FROM stored_events WHERE rowid = 44", "position 41 to 80|not the next one"),
    ],
)
def test_a_log_that_is_not_what_was_signed_is_not_packed(
    changing: Signed, edit: str, sentence: str
) -> None:
    execute(changing.audit_log.store, edit)
    with pytest.raises((Unprovable, StoreFault), match=sentence):
        changing.pack()


def test_checkpoints_that_are_no_chain_are_not_packed(changing: Signed) -> None:
    made_old(changing.file, changing.signer, 2)
    _, *others = split_notes(changing.file.read_bytes()).whole
    changing.file.write_bytes(b"".join(note + b"\n" for note in others))
    with pytest.raises(Unprovable, match="the file begins with it"):
        changing.pack()
