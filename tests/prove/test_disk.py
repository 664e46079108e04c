"""What a disk may hold after a power cut: what was synced for certain, anything of the rest."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.prove.disk import SECTOR, Disk, Image, Survival
from tests.prove.shim import Call, File, Kind, read_log

CREATE = Call(Kind.CREATE, File.WAL)
SYNC_FOLDER = (
    Call(Kind.SYNC_BEGINS, File.FOLDER, 1),
    Call(Kind.SYNC_ENDED, File.FOLDER, 1),
)
BEGINS = Call(Kind.SYNC_BEGINS, File.WAL, 2)
ENDED = Call(Kind.SYNC_ENDED, File.WAL, 2)


def write(place: int, data: bytes) -> Call:
    """Return a write to the log."""
    return Call(Kind.WRITE, File.WAL, place, data)


def disk(*calls: Call) -> Disk:
    """Return a disk with an empty log, to which some calls were made."""
    made = Disk()
    for call in (CREATE, *SYNC_FOLDER, *calls):
        made.make(call)
    return made


def images(made: Disk, survival: Survival, tries: int = 200) -> set[bytes | None]:
    """Return what the log may be after a cut, None if it is not there."""
    found: list[Image] = [made.image(survival, Random(number)) for number in range(tries)]  # noqa: S311 - no secret
    return {image.get(File.WAL) for image in found}


def test_what_was_synced_is_certain() -> None:
    made = disk(write(0, b"one"), BEGINS, ENDED)
    assert made.is_certain
    assert {image for survival in Survival for image in images(made, survival)} == {b"one"}


def test_a_sync_that_has_not_ended_promises_nothing() -> None:
    made = disk(write(0, b"one"), BEGINS)
    assert not made.is_certain
    assert images(made, Survival.NOTHING) == {b""}
    assert images(made, Survival.ALL) == {b"one"}


def test_a_sync_promises_only_what_was_written_before_it_began() -> None:
    made = disk(write(0, b"one"), BEGINS, write(3, b"two"), ENDED)
    assert images(made, Survival.NOTHING) == {b"one"}
    assert images(made, Survival.ALL) == {b"onetwo"}


def test_a_beginning_of_what_was_written_may_survive() -> None:
    made = disk(write(0, b"1"), write(1, b"2"))
    assert images(made, Survival.BEGINNING) == {b"", b"1", b"12"}


def test_any_of_the_writes_may_survive_and_leave_zeros_between() -> None:
    made = disk(write(0, b"1"), write(1, b"2"))
    assert images(made, Survival.WRITES) == {b"", b"1", b"\0002", b"12"}


def test_any_sectors_of_a_write_may_survive() -> None:
    one, two = b"1" * SECTOR, b"2" * SECTOR
    made = disk(write(0, one + two))
    assert images(made, Survival.SECTORS) == {b"", one, bytes(SECTOR) + two, one + two}


def test_a_write_may_be_torn_between_sectors() -> None:
    one, two = b"1" * (SECTOR - 10), b"2" * SECTOR
    made = disk(write(10, one + two))
    blank = bytes(10)
    assert images(made, Survival.TORN) == {b"", blank + one, blank + one + two}


def test_a_truncation_may_not_have_happened() -> None:
    cut = Call(Kind.TRUNCATE, File.WAL, 1)
    made = disk(write(0, b"one"), BEGINS, ENDED, cut)
    assert images(made, Survival.NOTHING) == {b"one"}
    assert images(made, Survival.ALL) == {b"o"}
    assert images(made, Survival.WRITES) == {b"one", b"o"}


def test_a_name_is_certain_once_its_folder_was_synced() -> None:
    made = Disk()
    made.make(CREATE)
    made.make(write(0, b"one"))
    made.make(BEGINS)
    made.make(ENDED)
    assert images(made, Survival.BEGINNING) == {None, b"one"}
    for call in SYNC_FOLDER:
        made.make(call)
    assert images(made, Survival.NOTHING) == {b"one"}


def test_a_file_that_was_removed_may_be_there_again_with_what_it_held() -> None:
    made = disk(write(0, b"one"), BEGINS, ENDED, Call(Kind.UNLINK, File.WAL), CREATE)
    made.make(write(0, b"new"))
    assert images(made, Survival.NOTHING) == {b"one"}
    assert images(made, Survival.ALL) == {b"new"}
    assert images(made, Survival.BEGINNING) == {b"one", None, b"", b"new"}


@pytest.mark.parametrize("cut", [0, 1, 17])
def test_a_log_of_calls_is_read_as_far_as_it_goes(tmp_path: Path, cut: int) -> None:
    whole = (
        b"W\x02\0\0\x03\0\0\0\x07\0\0\0\0\0\0\0one"
        b"B\x02\0\0\0\0\0\0\x01\0\0\0\0\0\0\0"
        b"S\0\0\0\x02\0\0\0\0\0\0\0\0\0\0\0hi"
    )
    log = tmp_path / "calls"
    log.write_bytes(whole[: len(whole) - cut])
    calls = [
        Call(Kind.WRITE, File.WAL, 7, b"one"),
        Call(Kind.SYNC_BEGINS, File.WAL, 1),
        Call(Kind.SEND, File.NONE, 0, b"hi"),
    ]
    assert list(read_log(log)) == (calls if cut == 0 else calls[:2])
