from __future__ import annotations

import os
import re
import resource
import signal
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest

from adapters.audit.checkpoint_file import check_file, continued
from adapters.audit.checkpoint_reading import read_found_notes, read_held
from adapters.audit.checkpoint_text import checkpoint_text
from adapters.audit.keys import Signer
from adapters.audit.notes import signed_note, split_notes
from adapters.audit.pack.verifier.forms import encode_base64
from domain.tlog.checkpoints import (
    Checkpoint,
    NoteLocation,
    Unprovable,
    UnverifiedNote,
    VerifiedNote,
)
from tests.cli.workbench import standing

ORIGIN: Final = "flows.example"
SIGNER: Final = Signer.generate("flows.example")
OTHER: Final = Signer.generate("flows.example")
FIRST: Final = Checkpoint(origin="flows.example", size=1, root=bytes(32))
SECOND: Final = Checkpoint(origin="flows.example", size=2, root=bytes(32))
NOTES: Final = tuple(
    signed_note(checkpoint_text(checkpoint), SIGNER) for checkpoint in (FIRST, SECOND)
)
NEXT: Final = signed_note(
    checkpoint_text(Checkpoint(origin=ORIGIN, size=3, root=bytes(32))),
    SIGNER,
)


def kept(path: Path, *notes: str) -> Path:
    for note in notes:
        with continued(path, ORIGIN) as opened:
            opened.append(note)
    return path


def signed(file: Path, number: int, checkpoint: Checkpoint) -> VerifiedNote:
    return VerifiedNote(
        place=NoteLocation(file=str(file), number=number),
        text=checkpoint_text(checkpoint),
        public_key=str(SIGNER.verifier),
        digest=sha256(NOTES[number - 1].encode()).digest(),
        checkpoint=checkpoint,
    )


def test_what_was_appended_is_read_in_order(tmp_path: Path) -> None:
    file = kept(tmp_path / "log", *NOTES)
    expected = (signed(file, 1, FIRST), signed(file, 2, SECOND))
    assert read_found_notes(file, [SIGNER.verifier]) == expected
    assert file.read_text() == f"{NOTES[0]}\n{NOTES[1]}\n"


def test_whoever_continues_a_file_sees_what_it_holds(tmp_path: Path) -> None:
    with continued(kept(tmp_path / "log", *NOTES), ORIGIN) as opened:
        assert opened.notes.whole == tuple(note.encode() for note in NOTES)


@pytest.mark.parametrize("witnesses", [0, 1, 2])
@pytest.mark.parametrize("count", [1, 2])
def test_whatever_a_power_cut_leaves_is_kept_and_continued(
    tmp_path: Path, count: int, witnesses: int
) -> None:
    file = tmp_path / "log"
    data = "".join(f"{cosigned(note, witnesses)}\n" for note in NOTES[:count]).encode()
    ends = list(signature_ends(data))
    for cut in range(len(data) + 1):
        file.write_bytes(data[:cut])
        whole = max((end for end in ends if end <= cut), default=0)
        check_file(file, ORIGIN)
        with continued(file, ORIGIN) as opened:
            aside = opened.append(NEXT)
        torn = data[whole:cut].removeprefix(b"\n").removeprefix(b"\n")
        assert (b"" if aside is None else aside.read_bytes()) == torn
        assert file.read_bytes() == ended(data[:whole]) + f"{NEXT}\n".encode()
        assert len(list(read_found_notes(file, [SIGNER.verifier]))) == signers_whole(data, cut) + 1
        if aside is not None:
            aside.unlink()
    assert list(tmp_path.iterdir()) == [file]


def cosigned(note: str, witnesses: int) -> str:
    """Add lines of witnesses to a note, whose signatures have a time too."""
    lines = (f"\u2014 witness{n}.example {encode_base64(bytes(76))}\n" for n in range(witnesses))
    return note + "".join(lines)


def signature_ends(data: bytes) -> Iterator[int]:
    """Return where the lines with signatures end, without their line breaks."""
    return (match.end() for match in re.finditer("^\u2014 .+".encode(), data, re.MULTILINE))


def signers_whole(data: bytes, cut: int) -> int:
    """Return how many notes have their first signature before a cut."""
    form = "\n\n\u2014 flows.example .+".encode()
    return sum(match.end() <= cut for match in re.finditer(form, data))


def ended(notes: bytes) -> bytes:
    """Return notes with the empty line behind the last one."""
    return notes + b"\n\n" if notes else b""


def test_a_torn_note_is_told(tmp_path: Path) -> None:
    file = kept(tmp_path / "log", NOTES[0])
    with file.open("ab") as opened:
        opened.write(NOTES[1].encode()[:99])
    torn = UnverifiedNote(
        place=NoteLocation(file=str(file), number=2),
        code="checkpoint_unreadable",
        reason="it is not written to its end",
    )
    assert read_found_notes(file, [SIGNER.verifier]) == (signed(file, 1, FIRST), torn)


def test_what_is_torn_is_never_put_over_a_file(tmp_path: Path) -> None:
    file = kept(tmp_path / "log", NOTES[0])
    theirs = tmp_path / "log.torn-1"
    theirs.write_bytes(b"theirs")
    (tmp_path / "log.torn-2").symlink_to(tmp_path / "nowhere")
    with file.open("ab") as opened:
        opened.write(b"flows.exam")
    with continued(file, ORIGIN) as continuing:
        aside = continuing.append(NOTES[1])
    assert (aside, theirs.read_bytes()) == (tmp_path / "log.torn-3", b"theirs")
    assert not (tmp_path / "nowhere").exists()


WHOLE: Final = "".join(f"{note}\n" for note in NOTES).encode()
FOREIGN: Final = {
    "a text": b"x\n",
    "a text without a line break": b"x",
    "a text that begins as we do": b"flows.example\nis where our flows are\n",
    "line ends of another system": WHOLE.replace(b"\n", b"\r\n"),
    "other line ends behind one note": WHOLE + WHOLE.replace(b"\n", b"\r\n"),
    "a byte order mark": b"\xef\xbb\xbf" + WHOLE,
    "UTF-16": WHOLE.decode().encode("utf-16"),
    "an empty line too many": WHOLE + b"\n",
    "an empty line before": b"\n" + WHOLE,
    "nothing but an empty line": b"\n",
    "zeros behind": WHOLE + bytes(512),
    "nothing but zeros": bytes(512),
    "a text behind": WHOLE + b"# kept by hand\n",
    "a text behind a note without its empty line": WHOLE[:-1] + b"# kept by hand",
    "a text between": f"{NOTES[0]}\n# by hand\n\n{NOTES[1]}\n".encode(),
    "the beginning of another log's": WHOLE + b"others.example\n12\n",
    "a long beginning": WHOLE
    + b"flows.example\n1\n"
    + bytes(43).replace(b"\0", b"A")
    + b"=\n"
    + b"x" * 20_000,
    "a signature alone": "\u2014 flows.example AAAA\n\n".encode(),
    "a database": b"SQLite format 3\0" + bytes(4080),
    "a key": SIGNER.secret_text().encode() + b"\n",
    "something long": b"a line of some log\n" * 10_000,
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_is_not_ours_is_refused_and_stays(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "log"
    file.write_bytes(FOREIGN[kind])
    with pytest.raises(Unprovable, match="is not a file of checkpoints, or was changed"):
        check_file(file, ORIGIN)
    with pytest.raises(Unprovable) as refused:
        kept(file, NEXT)
    assert SIGNER.secret_text() not in str(refused.value)
    assert file.read_bytes() == FOREIGN[kind]
    assert list(tmp_path.iterdir()) == [file]


def test_other_line_ends_are_named(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_bytes(WHOLE.replace(b"\n", b"\r\n"))
    with pytest.raises(Unprovable, match="its lines end in CR LF"):
        kept(file, NEXT)


@pytest.mark.parametrize("lacking", [0, 1, 2])
def test_a_file_that_an_editor_has_stripped_is_whole(tmp_path: Path, lacking: int) -> None:
    file = tmp_path / "log"
    file.write_bytes(WHOLE[: len(WHOLE) - lacking])
    assert len(read_found_notes(file, [SIGNER.verifier])) == 2
    kept(file, NEXT)
    assert file.read_bytes() == WHOLE + f"{NEXT}\n".encode()


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "nowhere", "loop"])
def test_what_is_no_file_is_refused_and_stays(tmp_path: Path, kind: str) -> None:
    path = made(tmp_path / "log", kind)
    before = standing(path)
    for doing in (lambda: kept(path, NEXT), lambda: check_file(path, ORIGIN)):
        with pytest.raises((Unprovable, OSError), match=r"folder|pipe|device|nowhere|Too many"):
            doing()
    assert standing(path) == before


def made(path: Path, kind: str) -> Path:
    """Make something that is no file."""
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case "nowhere":
            path.symlink_to(path.with_name("nowhere"))
        case _:
            path.symlink_to(path)
    return path


def test_a_link_to_the_file_is_followed(tmp_path: Path) -> None:
    file = kept(tmp_path / "kept", NOTES[0])
    link = tmp_path / "log"
    link.symlink_to(file)
    kept(link, NOTES[1])
    assert link.is_symlink()
    assert file.read_bytes() == WHOLE


def test_a_pipe_without_a_writer_is_read_as_empty(tmp_path: Path) -> None:
    assert read_found_notes(made(tmp_path / "log", "pipe"), [SIGNER.verifier]) == ()
    for kind in ("folder", "device"):
        with pytest.raises(Unprovable, match=r"Is a directory|is a device, and not a file"):
            read_found_notes(made(tmp_path / kind, kind), [SIGNER.verifier])


def test_a_file_that_is_changed_or_replaced_meanwhile_stays(tmp_path: Path) -> None:
    file = kept(tmp_path / "log", NOTES[0])
    with continued(file, ORIGIN) as opened:
        file.write_bytes(b"theirs")
        with pytest.raises(Unprovable, match="somebody else changed it"):
            opened.append(NOTES[1])
    assert file.read_bytes() == b"theirs"
    file.unlink()
    kept(file, NOTES[0])
    with continued(file, ORIGIN) as opened:
        file.rename(tmp_path / "old")
        file.write_bytes(b"theirs")
        with pytest.raises(Unprovable, match="somebody else changed it"):
            opened.append(NOTES[1])
    assert file.read_bytes() == b"theirs"
    assert (tmp_path / "old").read_text() == f"{NOTES[0]}\n"


def test_a_new_file_into_which_nothing_was_written_is_removed(tmp_path: Path) -> None:
    with continued(tmp_path / "log", ORIGIN):
        pass
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "log").touch()
    with continued(tmp_path / "log", ORIGIN):
        pass
    assert (tmp_path / "log").exists()


def test_a_disk_that_is_full_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = kept(tmp_path / "log", *NOTES)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(WHOLE) + 9, limits[1]))
        with pytest.raises(OSError, match=f"File too large: '{file}'"):
            kept(file, NEXT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert file.read_bytes() == WHOLE


def test_a_note_by_another_key_is_not_signed(tmp_path: Path) -> None:
    file = kept(tmp_path / "log", signed_note(checkpoint_text(FIRST), OTHER), NOTES[1])
    first, second = read_found_notes(file, [SIGNER.verifier])
    assert isinstance(first, UnverifiedNote)
    assert first.code == "checkpoint_not_signed"
    assert second == signed(file, 2, SECOND)


def test_a_signed_text_that_is_no_checkpoint_is_unreadable(tmp_path: Path) -> None:
    file = kept(tmp_path / "log", signed_note("good morning\n", SIGNER))
    (found,) = read_found_notes(file, [SIGNER.verifier])
    assert isinstance(found, UnverifiedNote)
    assert found.code == "checkpoint_unreadable"


@pytest.mark.parametrize("place", range(0, len("".join(NOTES).encode()), 5))
def test_every_changed_byte_rejects_a_checkpoint(tmp_path: Path, place: int) -> None:
    file = kept(tmp_path / "log", *NOTES)
    octets = bytearray(file.read_bytes())
    octets[place] ^= 4
    file.write_bytes(octets)
    assert any(isinstance(one, UnverifiedNote) for one in read_found_notes(file, [SIGNER.verifier]))


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Unprovable, match="No such file"):
        read_found_notes(tmp_path / "none", [SIGNER.verifier])


def test_anything_at_all_falls_into_notes_and_a_rest() -> None:
    for data in (b"", b"\n\n", b"\n\n\n\n", b"x", bytes(range(256)) * 3):
        notes = split_notes(data)
        assert (notes.whole, notes.rest) == ((), data)


COSIGNED: Final = f"{cosigned(NOTES[0], 2)}\n{cosigned(NOTES[1], 1)}\n"


@pytest.mark.parametrize(
    "data",
    [
        WHOLE,
        WHOLE[:-1],
        WHOLE[:-2],
        COSIGNED.encode(),
        b"\n\n" + WHOLE,
        ("\n" + "\n\n\n".join(NOTES) + "\n\n").encode(),
        COSIGNED.replace(
            "\n\n\u2014 flows", "\n\n\u2014 first.example AAAA\n\u2014 flows"
        ).encode(),
    ],
)
def test_what_somebody_kept_is_read_whoever_has_signed_it_too(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "held"
    file.write_bytes(data)
    found = read_held(file, [SIGNER.verifier])
    assert found == (signed(file, 1, FIRST), signed(file, 2, SECOND))


@pytest.mark.parametrize("number", [1, 2])
def test_a_single_note_is_held(tmp_path: Path, number: int) -> None:
    file = tmp_path / "held"
    file.write_text(NOTES[number - 1])
    (found,) = read_held(file, [SIGNER.verifier])
    assert isinstance(found, VerifiedNote)
    assert found.checkpoint == (FIRST, SECOND)[number - 1]


@pytest.mark.parametrize(
    ("data", "clause"),
    [
        (b"", "holds no checkpoint"),
        (b"\n", "holds no checkpoint"),
        (b"good morning\n", "holds no checkpoint"),
        (NOTES[0].encode()[:60], "holds no checkpoint"),
        (WHOLE.decode().encode("utf-16"), "holds no checkpoint"),
        (WHOLE.replace(b"\n", b"\r\n"), "its lines end in CR LF"),
        (WHOLE + WHOLE.replace(b"\n", b"\r\n"), "its lines end in CR LF"),
        (WHOLE.replace(b"\n", b"\r\n") + WHOLE, "its lines end in CR LF"),
        (WHOLE.replace(b"\n", b"\r\n") * 400, "its lines end in CR LF"),
        (b"\xef\xbb\xbf" + WHOLE, "it begins with a byte order mark"),
        (b"a line of some log\n" * 10_000, "is not a file of checkpoints"),
    ],
)
def test_a_held_file_without_a_checkpoint_is_a_sentence(
    tmp_path: Path, data: bytes, clause: str
) -> None:
    (tmp_path / "held").write_bytes(data)
    with pytest.raises(Unprovable, match=clause):
        read_held(tmp_path / "held", [SIGNER.verifier])


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "nowhere", "loop"])
def test_a_held_path_that_is_no_file_is_a_sentence(tmp_path: Path, kind: str) -> None:
    with pytest.raises(Unprovable):
        read_held(made(tmp_path / "held", kind), [SIGNER.verifier])


@pytest.mark.parametrize(
    ("convert", "clause"),
    [
        (lambda data: data.replace(b"\n", b"\r\n"), "its lines end in CR LF"),
        (lambda data: b"\xef\xbb\xbf" + data, "it begins with a byte order mark"),
    ],
)
def test_the_own_file_that_was_converted_is_a_finding_that_says_so(
    tmp_path: Path, convert: Callable[[bytes], bytes], clause: str
) -> None:
    file = tmp_path / "log"
    file.write_bytes(convert(WHOLE))
    first = read_found_notes(file, [SIGNER.verifier])[0]
    assert isinstance(first, UnverifiedNote)
    assert clause in first.reason
