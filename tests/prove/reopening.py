"""Opens what a disk may hold after a power cut, as a gateway does, and looks what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from attrs import frozen

from adapters.store import EventSourcedStore, open_for_writing, rebuild
from tests.prove.disk import Image
from tests.prove.recordings import Recording, Stored
from tests.prove.shim import File

SUFFIXES: Final = {File.DATABASE: "", File.WAL: "-wal", File.JOURNAL: "-journal"}


@frozen
class Verdict:
    """How many of the recorded events are there, and what else is wrong."""

    kept: int
    faults: tuple[str, ...] = ()

    def lost(self, owed: int) -> tuple[str, ...]:
        """Return what is wrong where callers know of some events."""
        missing = (f"{owed - self.kept} acknowledged events",) if self.kept < owed else ()
        return (*missing, *self.faults)


def reopened(image: Image, recording: Recording, database: Path) -> Verdict:
    """Put an image in a database's place, open it, and judge it."""
    _lay_out(image, database)
    try:
        with closing(open_for_writing(f"sqlite:///{database}")) as store:
            return _judge(store, recording)
    except Exception as fault:  # noqa: BLE001 - whatever it is, a gateway would not start
        return Verdict(0, (f"the store cannot be opened: {fault!r}",))


def _lay_out(image: Image, database: Path) -> None:
    for old in database.parent.glob(f"{database.name}*"):
        old.unlink()
    for file, content in image.items():
        database.with_name(database.name + SUFFIXES[file]).write_bytes(content)


def _judge(store: EventSourcedStore, recording: Recording) -> Verdict:
    with store.application.datastore.reading() as cursor:
        cursor.execute("PRAGMA integrity_check")
        sound = cursor.fetchone()[0]
        cursor.execute("SELECT * FROM stored_events ORDER BY rowid")
        found = [Stored(*row) for row in cursor.fetchall()]
    return Verdict(len(found), tuple(_faults(store, recording, sound=sound, found=found)))


def _faults(
    store: EventSourcedStore, recording: Recording, *, sound: str, found: list[Stored]
) -> Iterator[str]:
    if sound != "ok":
        yield f"the database is damaged: {sound}"
    if found != list(recording.events[: len(found)]):
        yield "the events are not those that were stored, in their order"
    if len(found) not in recording.ends_of_commits():
        yield "a part of a commit is there"
    changed = rebuild(store).changed
    if any(changed.values()):
        yield f"derived rows differ from the events: {changed}"
