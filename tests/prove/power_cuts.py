"""The power goes at any moment: what a gateway has told anybody is there when it comes back.

A real gateway is recorded while it works over SQLite: every write and sync of its files, and every
answer. From that follows what a disk could hold at each moment (see `disk`); it is opened again
as a gateway opens it, and each event that a caller knew of must be there by its id, with its bytes,
all streams fold, and rebuilding finds nothing to change. Linux, with a C compiler.

The same is done to a gateway that does not sync; it must lose events, or the proof proves nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import sha1
from pathlib import Path
from random import Random
from typing import Final

from attrs import define, field, frozen

from tests.prove.disk import AT_RANDOM, Disk, Image, Survival
from tests.prove.recordings import Module, Recording, keep, kept, record
from tests.prove.reopening import Verdict, reopened
from tests.prove.result import SHOWN, Progress, Result, scaled, unseen
from tests.prove.shim import compiled
from tests.prove.workers import spread

CUTS: Final = 100_000
CONTROL_CUTS: Final = 2_000
REQUESTS: Final = (40, 320)
"""Of a recording at a tiny scale, and at full size."""

PORTIONS: Final = 60
SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - only a folder of our own is made there


@frozen
class Portion:
    """Some consecutive moments of a recording, each with several cuts."""

    recording: Path
    first: int
    last: int
    cuts_each: int


@define
class Tally:
    """What came of some cuts."""

    cuts: int = 0
    disks: int = 0
    lost: list[str] = field(factory=list)

    def add(self, other: Tally) -> None:
        """Take in another."""
        self.cuts += other.cuts
        self.disks += other.disks
        self.lost += other.lost


def cut(portion: Portion) -> Tally:
    """Cut the power at some moments of a recording."""
    recording, owed = kept(portion.recording), _owed(portion.recording)
    disk, tally = Disk(), Tally()
    for call in recording.calls[: portion.first]:
        disk.make(call)
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        judge = Judge(recording, Path(folder) / "cut.db")
        for moment in range(portion.first, portion.last):
            disk.make(recording.calls[moment])
            for name, image in _images(disk, moment, portion.cuts_each):
                tally.cuts += 1
                lost = judge.judge(image).lost(owed[moment + 1])
                tally.lost += [f"cut after call {moment} ({name}): {each}" for each in lost]
    tally.disks = len(judge.verdicts)
    return tally


@define
class Judge:
    """Judges images, each different one once."""

    recording: Recording
    database: Path
    verdicts: dict[bytes, Verdict] = field(factory=dict)

    def judge(self, image: Image) -> Verdict:
        """Return the verdict on an image."""
        digest = sha1(usedforsecurity=False)
        for file in sorted(image):
            digest.update(b"%d %d " % (file, len(image[file])))
            digest.update(image[file])
        verdict = self.verdicts.get(digest.digest())
        if verdict is None:
            verdict = reopened(image, self.recording, self.database)
            self.verdicts[digest.digest()] = verdict
        return verdict


def _images(disk: Disk, moment: int, count: int) -> Iterator[tuple[str, Image]]:
    if disk.is_certain:
        yield "certain", disk.image(Survival.ALL, Random(0))  # noqa: S311 - no secret
        return
    for number in range(count):
        chance = Random(f"{moment}/{number}")  # noqa: S311 - no secret
        always = (Survival.NOTHING, Survival.ALL)
        survival = always[number] if number < len(always) else chance.choice(AT_RANDOM)
        yield f"{survival.name} {number}", disk.image(survival, chance)


@lru_cache(maxsize=1)
def _owed(recording: Path) -> Sequence[int]:
    return kept(recording).owed()


def _memory() -> Path | None:
    return SHARED_MEMORY if SHARED_MEMORY.is_dir() else None


def run(scale: float, progress: Progress) -> Result:
    """Prove that no power cut loses what was acknowledged."""
    requests = round(min(max(REQUESTS[0], REQUESTS[1] * scale * 10), REQUESTS[1]))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shim = compiled(folder)
        synced = _recorded(folder / "synced", shim, requests, "app")
        tally = _cut_all(synced, scaled(CUTS, scale), progress)
        unsynced = _recorded(folder / "unsynced", shim, REQUESTS[0], "tests.prove.unsynced")
        control = _cut_all(unsynced, scaled(CONTROL_CUTS, scale, least=40), unseen)
        recording = kept(synced)
    told = recording.owed()[-1]
    useless = list(_useless(control, told, len(recording.events)))
    return Result(
        tried="the power cut at every moment of a working gateway, with what a disk may hold then",
        counts={
            "cuts": tally.cuts,
            "different disks": tally.disks,
            "calls recorded": len(recording.calls),
            "events acknowledged": told,
        },
        violations=(*tally.lost[:SHOWN], *useless),
        notes=(_told_of_control(control),),
    )


def _useless(control: Tally, told: int, stored: int) -> Iterator[str]:
    if not control.lost:
        yield "the control lost nothing: the proof proves nothing"
    if told < stored:
        yield f"callers were told of {told} of {stored} events: the answers were not understood"


def _told_of_control(control: Tally) -> str:
    share = f"{len(control.lost):,} of {control.cuts:,} cuts"
    example = next(iter(control.lost), "")
    return f"the control, with synchronous=OFF: {share} lost something, as they must: {example}"


def _recorded(folder: Path, shim: Path, requests: int, module: Module) -> Path:
    folder.mkdir()
    recording = record(folder, shim, requests=requests, module=module)
    return keep(recording, folder / "recording")


def _cut_all(recording: Path, cuts: int, progress: Progress) -> Tally:
    portions = _portions(recording, cuts)
    tally = Tally()
    for done in spread(cut, portions):
        tally.add(done)
        progress(tally.cuts, cuts)
    return tally


def _portions(recording: Path, cuts: int) -> list[Portion]:
    """Return portions of a recording that make about so many cuts."""
    disk, calls = Disk(), kept(recording).calls
    uncertain = 0
    for call in calls:
        disk.make(call)
        uncertain += not disk.is_certain
    each = max(2, round((cuts - (len(calls) - uncertain)) / uncertain))
    size = len(calls) // PORTIONS + 1
    return [
        Portion(recording, first, min(first + size, len(calls)), each)
        for first in range(0, len(calls), size)
    ]
