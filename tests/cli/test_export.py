from __future__ import annotations

import io
import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from adapters.cli import Dependencies, run
from tests.audit.packs import unpacked, verdict
from tests.cli.damage import edit
from tests.cli.workbench import Ran, taskflow

ANOTHER = "00000000-0000-4000-8000-000000000007"
FLOW = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where the export goes."""
    folder = tmp_path / "exports"
    folder.mkdir()
    return folder / "events.ndjson"


def damage(path: Path) -> None:
    edit(path, "UPDATE stored_events SET state = x'7b7d' WHERE rowid = 8")


def export(tools: Dependencies, target: Path, url: str, *options: str) -> Ran:
    return taskflow(tools, "audit", "export", str(target), "--database", url, *options)


def test_an_export_says_what_it_wrote(tools: Dependencies, seeded: str, target: Path) -> None:
    ran = export(tools, target, seeded)
    written = target.read_bytes()
    digest = sha256(written).hexdigest()
    assert ran == Ran(
        0, f"Wrote {target}: 9 events, {len(written):,} bytes\nSHA-256 {digest}\n", ""
    )
    assert [json.loads(line)["position"] for line in written.splitlines()] == list(range(1, 10))
    assert target.stat().st_mode & 0o777 == 0o600
    assert list(target.parent.iterdir()) == [target]


def test_an_export_in_json_says_the_same(tools: Dependencies, seeded: str, target: Path) -> None:
    ran = export(tools, target, seeded, "--flow", FLOW, "--json")
    written = target.read_bytes()
    assert json.loads(ran.out) == {
        "events": 6,
        "uncovered": 0,
        "file": str(target),
        "bytes": len(written),
        "sha256": sha256(written).hexdigest(),
    }


@pytest.mark.parametrize("form", ["ndjson", "cloudevents"])
def test_the_same_range_gives_the_same_bytes(
    tools: Dependencies, seeded: str, target: Path, form: str
) -> None:
    whole = target.with_name("whole")
    export(tools, whole, seeded, "--format", form)
    export(tools, target, seeded, "--format", form, "--to", "7")
    first = target.read_bytes()
    assert whole.read_bytes().startswith(first)
    taskflow(tools, "flows", "sweep", "--database", seeded, "--lost-after", "0")
    export(tools, target, seeded, "--format", form, "--to", "7", "--force")
    assert target.read_bytes() == first


def test_the_options_say_which_events_are_meant(
    tools: Dependencies, seeded: str, target: Path
) -> None:
    export(
        tools,
        target,
        seeded,
        *("--from", "2", "--to", "8", "--owner", "agent:main:main"),
        *("--since", "2026-11-23T12:00:02Z", "--until", "2026-11-23T12:00:05Z"),
    )
    lines = target.read_text("utf-8").splitlines()
    assert [json.loads(line)["position"] for line in lines] == [3, 4, 5]


def test_events_that_do_not_exist_make_an_empty_file(
    tools: Dependencies, seeded: str, target: Path
) -> None:
    ran = export(tools, target, seeded, "--owner", "agent:nobody")
    assert ran.code == 0
    assert target.read_bytes() == b""


def test_a_cloud_event_names_the_source_that_is_given(
    tools: Dependencies, seeded: str, target: Path
) -> None:
    source = "https://example.org/taskflow"
    export(tools, target, seeded, "--format", "cloudevents", "--source", source)
    lines = target.read_text("utf-8").splitlines()
    assert {json.loads(line)["source"] for line in lines} == {source}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--flow", "no-such"), "there is no flow no-such"),
        (("--to", "10"), "there is no position 10: the log has 9 events"),
        (("--from", "10"), "there is no position 10: the log has 9 events"),
        (("--from", "3", "--to", "2"), "no position lies between 3 and 2"),
    ],
)
def test_what_a_store_has_not_is_refused(
    tools: Dependencies, seeded: str, target: Path, options: tuple[str, ...], sentence: str
) -> None:
    assert export(tools, target, seeded, *options) == Ran(2, "", f"taskflow: {sentence}\n")
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize(
    "options", [("--since", "noon"), ("--format", "xml"), ("--source", "a b"), ("--from", "0")]
)
def test_what_cannot_be_meant_is_refused(
    tools: Dependencies, seeded: str, target: Path, options: tuple[str, ...]
) -> None:
    ran = export(tools, target, seeded, *options)
    assert (ran.code, ran.out) == (2, "")
    assert f"argument {options[0]}: expected " in ran.err


def test_a_file_is_replaced_only_by_force(tools: Dependencies, seeded: str, target: Path) -> None:
    target.write_bytes(b"older")
    ran = export(tools, target, seeded)
    assert ran == Ran(2, "", f"taskflow: {target} exists already; --force replaces it\n")
    assert target.read_bytes() == b"older"
    assert export(tools, target, seeded, "--force").code == 0
    assert len(target.read_bytes().splitlines()) == 9


def test_a_database_is_never_replaced(tools: Dependencies, seeded: str, path: Path) -> None:
    before = path.read_bytes()
    ran = export(tools, path, seeded, "--force")
    assert ran == Ran(2, "", f"taskflow: {path} is the store, and is not overwritten\n")
    assert path.read_bytes() == before
    other = path.with_name("other.db")
    other.write_bytes(before)
    ran = export(tools, other, seeded, "--force")
    assert ran == Ran(2, "", f"taskflow: {other} is a database, and is not replaced\n")
    assert other.read_bytes() == before


def test_an_export_that_fails_leaves_nothing(
    tools: Dependencies, seeded: str, path: Path, target: Path
) -> None:
    damage(path)
    ran = export(tools, target, seeded)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("taskflow: the store is damaged: event ")
    assert list(target.parent.iterdir()) == []


def test_a_folder_that_is_missing_is_named(
    tools: Dependencies, seeded: str, tmp_path: Path
) -> None:
    ran = export(tools, tmp_path / "missing" / "events", seeded)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"taskflow: {tmp_path}/missing/")
    assert ran.err.endswith(": No such file or directory\n")


def test_an_export_to_standard_output_is_nothing_but_the_events(
    tools: Dependencies, seeded: str, target: Path
) -> None:
    export(tools, target, seeded)
    command = [sys.executable, "-m", "app", "audit", "export", "-", "--database", seeded]
    ran = subprocess.run(command, capture_output=True, check=True)  # noqa: S603 - our own program
    assert (ran.stdout, ran.stderr) == (target.read_bytes(), b"")


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_is_not_written_to(tools: Dependencies, seeded: str) -> None:
    out, err = Screen(), io.StringIO()
    code = run(["audit", "export", "-", "--database", seeded], tools, out=out, err=err)
    sentence = "taskflow: standard output is a terminal: name a file, or pipe it on\n"
    assert (code, out.getvalue(), err.getvalue()) == (2, "", sentence)


def test_a_pack_has_what_its_checkpoints_cover(
    tools: Dependencies, seeded: str, target: Path, tmp_path: Path
) -> None:
    key, options = sign(tools, seeded, tmp_path)
    assert taskflow(tools, "flows", "cancel", ANOTHER, "--database", seeded).code == 0
    ran = export(tools, target, seeded, "--format", "pack", *options)
    assert (ran.code, ran.err) == (0, "")
    wrote, digest, left = ran.out.splitlines()
    assert wrote == f"Wrote {target}: 9 events, {target.stat().st_size:,} bytes"
    assert digest == f"SHA-256 {sha256(target.read_bytes()).hexdigest()}"
    assert left == (
        "Left out: 2 later events that no checkpoint covers yet (see taskflow audit checkpoint)"
    )
    assert verdict(unpacked(target.read_bytes(), tmp_path / "pack"), key) == (0, {})


def test_a_pack_of_one_flow_is_counted_in_json(
    tools: Dependencies, seeded: str, target: Path, tmp_path: Path
) -> None:
    _, options = sign(tools, seeded, tmp_path)
    chosen = ("--flow", FLOW, "--to", "5", "--json")
    ran = export(tools, target, seeded, "--format", "pack", *options, *chosen)
    document = json.loads(ran.out)
    assert (document["events"], document["uncovered"]) == (5, 0)


def test_a_pack_wants_checkpoints(
    tools: Dependencies, seeded: str, path: Path, target: Path, tmp_path: Path
) -> None:
    key, options = sign(tools, seeded, tmp_path)

    def refused(*options: str) -> str:
        ran = export(tools, target, seeded, "--format", "pack", *options)
        assert (ran.code, ran.out) == (2, "")
        assert list(target.parent.iterdir()) == []
        return ran.err.removeprefix("taskflow: ")

    assert refused().startswith("say which file has the checkpoints: ")
    assert refused(*options[:2]).startswith("say by which key the checkpoints are signed: ")
    missing = ("--checkpoints", str(tmp_path / "none"), "--public-key", key)
    assert refused(*missing) == f"{tmp_path}/none: No such file or directory\n"
    assert refused(*options, "--owner", "agent:nobody").startswith("no event is selected")
    damage(path)
    assert "an event from position 1 to 9 was changed" in refused(*options)


def test_a_pack_is_not_written_to_standard_output(tools: Dependencies, seeded: str) -> None:
    ran = taskflow(tools, "audit", "export", "-", "--database", seeded, "--format", "pack")
    assert ran == Ran(2, "", "taskflow: a pack is an archive: name a file\n")


def sign(tools: Dependencies, url: str, folder: Path) -> tuple[str, tuple[str, ...]]:
    """Sign a log as it is; return the public key, and the options that name it all."""
    key, notes = folder / "signing.key", folder / "notes"
    made = taskflow(tools, "audit", "keygen", str(key), "--name", "taskflow.example")
    public = made.out.strip()
    signing = ("--checkpoints", str(notes), "--key", str(key))
    assert taskflow(tools, "audit", "checkpoint", "--database", url, *signing).code == 0
    return public, ("--checkpoints", str(notes), "--public-key", public)
