"""Whatever is changed in a pack is found and named, also by somebody who mends the manifest."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.audit.notes import signed_note, split_notes
from tests.audit.forgeries import EVENTS, FORGERIES, IN_THE_MANIFEST, NOTES, STRETCHES, rehash
from tests.audit.packs import Signed, signed_log, unpacked, verdict

UNCHAINED, CHAINED = 0, 4
"""How many of the checkpoints are of release 0.1."""


@pytest.fixture(scope="module", params=[UNCHAINED, CHAINED])
def old(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory, old: int) -> Iterator[Signed]:
    with signed_log(tmp_path_factory.mktemp("log"), old=old) as signed:
        yield signed


@pytest.fixture
def folder(signed: Signed, tmp_path: Path) -> Path:
    return unpacked(signed.pack(first=20, last=73), tmp_path / "pack")


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_found(signed: Signed, folder: Path, name: str, old: int) -> None:
    FORGERIES[name].does(folder)
    rehash(folder)
    found = FORGERIES[name].found
    if old == UNCHAINED:
        found = {check: text for check, text in found.items() if "does not follow" not in text}
    if found:
        assert_found(signed, folder, found)
    else:
        # What is left of the checkpoints is true: only who holds the other one misses it.
        assert name == "a checkpoint between others"
        assert verdict(folder, str(signed.signer.verifier)) == (0, {})


@pytest.mark.parametrize(
    ("origin", "size"), [("taskflow.example/other", 80), ("taskflow.example/log", 40)]
)
def test_a_checkpoint_of_another_log_or_an_older_one_is_found_whoever_signed_it(
    signed: Signed, folder: Path, origin: str, size: int
) -> None:
    notes = split_notes((folder / NOTES).read_bytes()).whole
    root = next(note.split(b"\n")[2] for note in notes if b"\n%d\n" % size in note)
    previous = b64encode(sha256(notes[-1]).digest()).decode()
    text = f"{origin}\n{size}\n{root.decode()}\nprevious {previous}\n"
    with (folder / NOTES).open("ab") as file:
        file.write(signed_note(text, signed.signer).encode() + b"\n")
    rehash(folder)
    found = {"checkpoints": f"checkpoint {len(notes) + 1} is of another log, or an older one"}
    assert_found(signed, folder, found)


@pytest.mark.parametrize("name", IN_THE_MANIFEST)
def test_a_forgery_in_the_manifest_is_found(signed: Signed, folder: Path, name: str) -> None:
    IN_THE_MANIFEST[name].does(folder)
    assert_found(signed, folder, IN_THE_MANIFEST[name].found)


@pytest.mark.parametrize("name", [EVENTS, NOTES, STRETCHES, "verify.py", "README.txt"])
def test_a_byte_that_is_changed_anywhere_is_found(signed: Signed, folder: Path, name: str) -> None:
    octets = bytearray((folder / name).read_bytes())
    octets[len(octets) // 2] ^= 1
    (folder / name).write_bytes(octets)
    code, said = verdict(folder, str(signed.signer.verifier))
    assert (code, said["files"]) == (1, f"{name} was changed: its SHA-256 is not the manifest's")


def assert_found(signed: Signed, folder: Path, found: dict[str, str]) -> None:
    code, said = verdict(folder, str(signed.signer.verifier))
    assert (code, said.keys()) == (1, found.keys()), said
    for check, pattern in found.items():
        assert re.search(pattern, said[check]), said


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_bit_that_is_changed_in_the_events_is_found_whoever_mends_the_hashes(
    signed: Signed, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = unpacked(signed.pack(first=20, last=24), tmp_path_factory.mktemp("pack"))
    octets = bytearray((folder / EVENTS).read_bytes())
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    (folder / EVENTS).write_bytes(octets)
    rehash(folder)
    code, _ = verdict(folder, str(signed.signer.verifier))
    assert code == 1
