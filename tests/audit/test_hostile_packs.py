"""Whatever stands where a pack should be, its verifier ends soon and in little memory, in words.

Each pack is verified as a stranger does it: in a process of its own, which cannot have more memory
than the bound here, and is ended after a time that no slow machine needs.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import rmtree
from typing import Any, Final, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.audit.keys import Signer
from adapters.audit.notes import split_notes
from adapters.audit.pack.verifier.forms import Wrong
from adapters.audit.pack.verifier.pack_files import FILES, MANIFEST, Pack, read_manifest
from adapters.audit.pack.verifier.report import VERDICTS, VERIFIED, WRONG, verify
from tests.audit.forgeries import EVENTS, NOTES, STRETCHES, edits, manifest, notes, rehash
from tests.audit.packs import Signed, signed_log, unpacked, verifier_file

ALL_FILES: Final = (MANIFEST, *FILES)
MEMORY: Final = 1 << 29
SECONDS: Final = 120
HUGE: Final = 1 << 40
"""The size of a file without any bytes that are stored; to read it takes far too long."""
Harm: TypeAlias = Callable[[Path], object]


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signed]:
    """A log with checkpoints of both forms."""
    with signed_log(tmp_path_factory.mktemp("log"), old=2) as signed:
        yield signed


@pytest.fixture
def folder(signed: Signed, tmp_path: Path) -> Path:
    return unpacked(signed.pack(first=20, last=73), tmp_path / "pack")


def verified(*arguments: str) -> tuple[int, str]:
    """Verify in a process with little memory, and return its code and what it says."""
    ran = subprocess.run(  # noqa: S603 - the verifier under test
        [sys.executable, "-I", str(verifier_file()), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )
    assert ran.stderr == ""
    return ran.returncode, ran.stdout


def assert_wrong(folder: Path, signed: Signed) -> None:
    code, said = verified(str(folder), "--key", str(signed.signer.verifier))
    lines = said.splitlines()
    assert code == 1, said
    assert lines[-1] == VERDICTS[WRONG]
    assert any(line.startswith("WRONG  ") for line in lines), said
    assert max(map(len, lines)) < 1100
    assert "Error(" not in said  # somebody has thought of it


def test_what_is_not_harmed_is_verified_within_the_bounds(folder: Path, signed: Signed) -> None:
    code, said = verified(str(folder), "--key", str(signed.signer.verifier))
    assert code == 0, said


def aside(path: Path) -> Path:
    """Return where something is put that stood in a pack, or was one."""
    parts = [path, *path.parents]
    folder = next(one for one in parts if one.name == "pack").parent
    return folder / f"aside {path.name}"


KINDS: Final[dict[str, Callable[[Path], object]]] = {
    "missing": lambda _: None,
    "a pipe": os.mkfifo,
    "a folder": Path.mkdir,
    "an endless device": lambda path: path.symlink_to("/dev/zero"),
    "a link to its like": lambda path: path.symlink_to(aside(path)),
    "a link to itself": lambda path: path.symlink_to(path),
    "empty": Path.touch,
    "bytes": lambda path: path.write_bytes(bytes(range(256))),
}


@pytest.mark.parametrize("name", ALL_FILES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_another_kind_is_wrong(
    folder: Path, signed: Signed, name: str, kind: str
) -> None:
    (folder / name).rename(aside(folder / name))
    KINDS[kind](folder / name)
    assert_wrong(folder, signed)


@pytest.mark.parametrize("name", ALL_FILES)
def test_a_file_that_is_huge_is_wrong(folder: Path, signed: Signed, name: str) -> None:
    with (folder / name).open("r+b") as file:
        file.truncate(HUGE)
    if name != "manifest.json":
        manifest(lambda m: [f.update(bytes=HUGE) for f in m["files"] if f["name"] == name])(folder)
    assert_wrong(folder, signed)


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_of_another_kind_is_wrong(folder: Path, signed: Signed, kind: str) -> None:
    for inner in (folder / "proofs", folder):
        inner.rename(aside(inner))
        KINDS[kind](inner)
        if kind != "a link to its like" or inner != folder:  # a pack may be named by a link
            assert_wrong(inner if inner == folder else folder, signed)


@pytest.mark.parametrize("arguments", [["--key"], ["one", "two"], ["--what"]])
def test_wrong_arguments_are_not_taken_for_what_could_not_be_checked(arguments: list[str]) -> None:
    ran = subprocess.run(  # noqa: S603 - the verifier under test
        [sys.executable, "-I", str(verifier_file()), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("WRONG: ")


def field(name: str, value: bytes) -> Harm:
    """Return who puts another value into a field of the fifth event."""

    def edit(lines: list[bytes]) -> None:
        pattern = b'"%b":("[^"]*"|[0-9]+)' % name.encode()
        lines[4] = re.sub(pattern, lambda _: b'"%b":%b' % (name.encode(), value), lines[4], count=1)

    return edits(EVENTS, edit)


def stretch(name: str, value: bytes) -> Harm:
    """Return who puts another value into a field of the first stretch."""

    def edit(lines: list[bytes]) -> None:
        pattern = b'"%b":("[^"]*"|[0-9]+)' % name.encode()
        lines[0] = re.sub(pattern, lambda _: b'"%b":%b' % (name.encode(), value), lines[0], count=1)

    return edits(STRETCHES, edit)


def noted(line: int, text: bytes) -> Harm:
    """Return who writes another line into the last checkpoint."""

    def edit(whole: list[bytes]) -> None:
        lines = whole[-1].split(b"\n")
        lines[line] = text
        whole[-1] = b"\n".join(lines)

    return notes(edit)


def extended(text: bytes) -> Harm:
    """Return who puts an extension line into the last checkpoint."""

    def edit(whole: list[bytes]) -> None:
        whole[-1] = whole[-1].replace(b"\n\n", b"\n%b\n\n" % text, 1)

    return notes(edit)


def raw(name: str, edit: Callable[[bytes], bytes]) -> Harm:
    return lambda folder: (folder / name).write_bytes(edit((folder / name).read_bytes()))


NUMBERS: Final = (
    b"1e999", b"-1", b"0", b"1.0", b"true", b"null", b'"24"', b"NaN", b"-Infinity",
    b"9223372036854775808", b"18446744073709551616", b"9" * 5000, b"1e5", b"[]", b"{}",
)  # fmt: skip
TEXTS: Final = (b"1", b"null", b'"\\ud800"', b'"\xff"', b'"' + b"x" * 100_000 + b'"', b"[" * 5000)
BASE64: Final = (b'" AAAA"', b'"AAA"', b'"AAB="', b'"AA==AA=="', b'"\xc3\xa9"', b'""', b"[]")
SIZES: Final = (b"1e999", b"-80", b"080", b"+80", b"8_0", b"\xd9\xa8", b"9" * 30, b"9" * 5000, b"")
SIGNATURES: Final = (
    b"\xe2\x80\x94 taskflow.example", b"\xe2\x80\x94 taskflow.example AAAA",
    b"\xe2\x80\x94 taskflow.example =", b"- taskflow.example AAAA",
    b"\n".join([b"\xe2\x80\x94 taskflow.example AAAA"] * 10_000),
)  # fmt: skip
HARMS: Final[dict[str, Harm]] = {
    **{f"{n} {v[:30]!r}": field(n, v) for n in ("position", "version") for v in NUMBERS},
    **{f"{n} {v[:30]!r}": field(n, v) for n in ("flowId", "name", "stored") for v in TEXTS},
    **{f"stored {v!r}": field("stored", v) for v in BASE64},
    **{f"{n} {v[:30]!r}": stretch(n, v) for n in ("first", "last") for v in NUMBERS},
    **{f"hash {v[:30]!r}": stretch("hash", v) for v in (*TEXTS, *BASE64)},
    **{f"size {v[:30]!r}": noted(1, v) for v in SIZES},
    **{f"root {v!r}": noted(2, v.strip(b'"')) for v in BASE64},
    **{f"previous {v!r}": extended(b"previous " + v.strip(b'"')) for v in BASE64},
    **{f"signature {v[:40]!r}": noted(-2, v) for v in SIGNATURES},
    **{
        f"{name} {what}": raw(name, edit)
        for name in (EVENTS, STRETCHES, NOTES, "manifest.json")
        for what, edit in {
            "with a byte order mark": lambda b: b"\xef\xbb\xbf" + b,
            "with CR LF": lambda b: b.replace(b"\n", b"\r\n"),
            "in UTF-16": lambda b: b.decode().encode("utf-16"),
            "twice": lambda b: b + b,
            "deeply nested": lambda _: b"[" * 200_000 + b"\n",
            "deeply nested names": lambda _: b'{"a":' * 200_000 + b"\n",
            "a number without end": lambda _: b"1" * 300_000 + b"\n",
            "a long line": lambda _: b"x" * (300 << 20) + b"\n",
            "empty lines": lambda b: b"\n" * 200_000 + b,
            "without its end": lambda b: b[:-1] if b.endswith(b"}\n\n") else b[:-3],
        }.items()
        if (name, what) != ("manifest.json", "with CR LF")  # JSON is the same in it
        and (name, what) != ("manifest.json", "empty lines")
    },
}
"""Each of them is put in, and then the hashes in the manifest are mended."""


@pytest.mark.full
@pytest.mark.parametrize("harm", HARMS)
def test_harm_is_wrong_whoever_mends_the_manifest(folder: Path, signed: Signed, harm: str) -> None:
    before = {name: (folder / name).read_bytes() for name in ALL_FILES}
    HARMS[harm](folder)
    assert before != {name: (folder / name).read_bytes() for name in ALL_FILES}
    if "manifest.json" not in harm:
        rehash(folder)
    assert_wrong(folder, signed)


VALUES: Final[tuple[Any, ...]] = (None, True, -1, 0, 1.5, 1 << 64, "", "\ud800", "x" * 9999, [], {})


@pytest.mark.parametrize("name", ["format", "tool", "publicKey", "range", "events", "files"])
def test_a_field_of_the_manifest_that_is_not_what_it_should_be_is_wrong(
    folder: Path, signed: Signed, name: str
) -> None:
    written = (folder / "manifest.json").read_bytes()
    edits: list[Callable[[dict[str, Any]], object]] = [
        lambda m: m.pop(name),
        lambda m: m.update({f"{name}2": 1}),
        *(lambda m, v=value: m.update({name: v}) for value in VALUES),
        *(lambda m, v=value: m["range"].update(first=v) for value in VALUES),
        *(lambda m, v=value: m["range"].update(owner=v, note=1) for value in VALUES),
        *(lambda m, v=value: m["files"][0].update(bytes=v) for value in VALUES),
        *(lambda m, v=value: m["files"].append(v) for value in VALUES),
        lambda m: m["files"].append(m["files"][0]),
        lambda m: m["files"].append({**m["files"][0], "name": "../../../etc/passwd"}),
    ]
    for edit in edits:
        (folder / "manifest.json").write_bytes(written)
        manifest(edit)(folder)
        code, said = judged(folder, signed)
        assert code == WRONG, edit
        assert "Error" not in said


@pytest.mark.parametrize("value", [*VALUES, [""], [None], [[]], ["\ud800"], ["x" * 9999]])
def test_previous_keys_that_are_none_are_wrong(folder: Path, signed: Signed, value: Any) -> None:  # noqa: ANN401 - any JSON value
    manifest(lambda m: m.update(previousKeys=value))(folder)
    code, said = judged(folder, signed)
    assert code == WRONG
    assert "Error" not in said


def test_a_key_that_somebody_adds_to_the_manifest_is_not_taken(
    folder: Path, signed: Signed
) -> None:
    stranger = str(Signer.generate("taskflow.example").verifier)
    manifest(lambda m: m.update(previousKeys=[stranger] * 1000))(folder)
    code, said = judged(folder, signed)
    assert code == WRONG
    assert f"the pack was made for another key: {stranger}" in said
    assert "and 990 more" in said


def judged(folder: Path, signed: Signed) -> tuple[int, str]:
    """Verify a pack in this process; return the code, and what is said."""
    said: list[str] = []
    try:
        pack = Pack(folder, read_manifest(folder), [str(signed.signer.verifier)])
        code = verify(pack, lambda *words: said.extend(words))
    except Wrong as wrong:
        return WRONG, str(wrong)
    return code, " ".join(said)


def test_a_name_that_stands_twice_in_the_manifest_is_wrong(folder: Path, signed: Signed) -> None:
    text = (folder / "manifest.json").read_text("utf-8")
    (folder / "manifest.json").write_text(f'{{"events": 54,{text.lstrip("{")}', "utf-8")
    assert_wrong(folder, signed)


@settings(max_examples=100)
@given(data=st.data())
def test_whatever_is_changed_in_a_pack_it_is_never_verified_unless_it_says_the_same(
    signed: Signed, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = unpacked(signed.pack(first=20, last=24), tmp_path_factory.mktemp("pack"))
    name = data.draw(st.sampled_from([EVENTS, STRETCHES, NOTES, "manifest.json"]))
    before = (folder / name).read_bytes()
    (folder / name).write_bytes(data.draw(changed(before)))
    if name != "manifest.json":
        rehash(folder)
    code, said = judged(folder, signed)
    assert "Error" not in said
    if code == VERIFIED:
        assert means_the_same(name, before, (folder / name).read_bytes())
    rmtree(folder)


@st.composite
def changed(draw: st.DrawFn, octets: bytes) -> bytes:
    """Return some bytes with a few changed, taken out, put in or moved."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(octets)))
        end = draw(st.integers(start, min(len(octets), start + 80)))
        put = draw(
            st.binary(max_size=4)
            | st.sampled_from([b"1e999", b"-", b"null", b"true", b'"', b"{", b"[", b"\n", b"\n\n"])
            | st.just(octets[start:end][::-1])
            | st.just(octets[start:end] * 2)
        )
        octets = octets[:start] + put + octets[end:]
    return octets


def means_the_same(name: str, before: bytes, after: bytes) -> bool:
    """Say whether what was changed in a file has no meaning.

    Nobody signs what a manifest says of the tool and of what was asked for, or the signatures of
    others beneath the last checkpoint.
    """
    if name == NOTES:
        old, new = (split_notes(octets).whole for octets in (before, after))
        return old[:-1] == new[:-1] and old[-1].split(b"\n\n")[0] == new[-1].split(b"\n\n")[0]
    if name == "manifest.json":
        old, new = (json.loads(octets) for octets in (before, after))
        old["tool"] = new["tool"]
        return bool(old == new)
    return before == after
