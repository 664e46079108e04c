from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from adapters.audit.checkpoint_text import checkpoint_text
from adapters.audit.keys import Signer
from adapters.audit.ledger import continued, digest_of, read_ledger, split_notes
from adapters.audit.notes import signed_note
from domain.audit.checkpoints import Checkpoint, Place, Rejected, Signed, Unprovable

SIGNER: Final = Signer.generate("flows.example")
OTHER: Final = Signer.generate("flows.example")
FIRST: Final = Checkpoint(origin="flows.example", size=1, root=bytes(32), at=1_795_435_200_000)
SECOND: Final = Checkpoint(origin="flows.example", size=2, root=bytes(32), previous=bytes(32))
NOTES: Final = tuple(
    signed_note(checkpoint_text(checkpoint), SIGNER) for checkpoint in (FIRST, SECOND)
)


def kept(path: Path, *notes: str) -> Path:
    for note in notes:
        with continued(path) as ledger:
            ledger.append(note)
    return path


def signed(file: Path, number: int, checkpoint: Checkpoint) -> Signed:
    digest = digest_of(NOTES[number - 1].encode())
    return Signed(place=Place(file=str(file), number=number), digest=digest, checkpoint=checkpoint)


def test_what_was_appended_is_read_in_order(tmp_path: Path) -> None:
    file = kept(tmp_path / "log", *NOTES)
    expected = (signed(file, 1, FIRST), signed(file, 2, SECOND))
    assert read_ledger(file, SIGNER.verifier) == expected
    assert file.read_text() == f"{NOTES[0]}\n{NOTES[1]}\n"


def test_whoever_continues_a_file_sees_what_it_holds(tmp_path: Path) -> None:
    with continued(kept(tmp_path / "log", *NOTES)) as ledger:
        assert ledger.notes == tuple(note.encode() for note in NOTES)


@pytest.mark.parametrize("end", range(1, len(NOTES[1].encode()) + 1, 9))
def test_a_note_that_was_not_written_to_its_end_is_told_and_then_removed(
    tmp_path: Path, end: int
) -> None:
    file = kept(tmp_path / "log", NOTES[0])
    whole = file.read_bytes()
    with file.open("ab") as opened:
        opened.write(NOTES[1].encode()[:end])
    torn = Rejected(
        place=Place(file=str(file), number=2),
        code="checkpoint_unreadable",
        reason="it is not written to its end",
    )
    assert read_ledger(file, SIGNER.verifier) == (signed(file, 1, FIRST), torn)
    with continued(file) as ledger:
        assert ledger.notes == (NOTES[0].encode(),)
    assert file.read_bytes() == whole


def test_a_note_by_another_key_is_not_signed(tmp_path: Path) -> None:
    file = kept(tmp_path / "log", signed_note(checkpoint_text(FIRST), OTHER), NOTES[1])
    first, second = read_ledger(file, SIGNER.verifier)
    assert isinstance(first, Rejected)
    assert first.code == "checkpoint_not_signed"
    assert second == signed(file, 2, SECOND)


def test_a_signed_text_that_is_no_checkpoint_is_unreadable(tmp_path: Path) -> None:
    file = kept(tmp_path / "log", signed_note("good morning\n", SIGNER))
    (found,) = read_ledger(file, SIGNER.verifier)
    assert isinstance(found, Rejected)
    assert found.code == "checkpoint_unreadable"


@pytest.mark.parametrize("place", range(0, len("".join(NOTES).encode()), 5))
def test_every_changed_byte_rejects_a_checkpoint(tmp_path: Path, place: int) -> None:
    file = kept(tmp_path / "log", *NOTES)
    octets = bytearray(file.read_bytes())
    octets[place] ^= 4
    file.write_bytes(octets)
    assert any(isinstance(one, Rejected) for one in read_ledger(file, SIGNER.verifier))


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Unprovable, match="No such file"):
        read_ledger(tmp_path / "none", SIGNER.verifier)


def test_anything_at_all_falls_into_notes_and_a_rest() -> None:
    for data in (b"", b"\n\n", b"\n\n\n\n", b"x", bytes(range(256)) * 3):
        notes = split_notes(data)
        assert (notes.whole, notes.torn) == ((), data)
