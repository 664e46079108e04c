"""What a disk may hold after a power cut, by what was written to it and what was synced.

A file's bytes are certain up to the writes that a completed sync covers (those issued before it
began). Of the writes after that a disk may hold nothing, all, or any part: any of them in any
order, any of their sectors. So it is with names: what was created or removed is certain once the
folder was synced, and before that any beginning of it may be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from random import Random
from typing import Final, TypeAlias

from attrs import define, field, frozen

from tests.prove.shim import Call, File, Kind

SECTOR: Final = 512

Image: TypeAlias = Mapping[File, bytes]
"""The files that are there after a cut."""


@frozen
class Change:
    """A write of some bytes at an offset, or (data None) a truncation to a length."""

    number: int
    place: int
    data: bytes | None


@define(eq=False)
class Inode:
    """A file's bytes, whatever its name: those that are certain, and what was done since."""

    certain: bytearray = field(factory=bytearray)
    pending: list[Change] = field(factory=list)

    def settle(self, before: int) -> None:
        """Make certain what was done before a moment."""
        apply(self.certain, [c for c in self.pending if c.number < before])
        self.pending = [c for c in self.pending if c.number >= before]


@frozen
class Naming:
    """A name was given to a file, or taken from it (None)."""

    number: int
    file: File
    inode: Inode | None


class Survival(Enum):
    """How much of what was not synced survives."""

    NOTHING = auto()
    ALL = auto()
    BEGINNING = auto()
    TORN = auto()
    WRITES = auto()
    SECTORS = auto()


AT_RANDOM: Final = (Survival.BEGINNING, Survival.TORN, Survival.WRITES, Survival.SECTORS)


@define
class Disk:
    """A disk to which recorded calls are made, one after the other."""

    calls: int = 0
    _certain: dict[File, Inode] = field(factory=dict)
    _current: dict[File, Inode] = field(factory=dict)
    _namings: list[Naming] = field(factory=list)
    _syncs: dict[int, tuple[int, File, Inode | None]] = field(factory=dict)

    def make(self, call: Call) -> None:
        """Take in the next call."""
        self.calls += 1
        match call.kind:
            case Kind.CREATE:
                self._name(call.file, Inode())
            case Kind.UNLINK:
                self._name(call.file, None)
            case Kind.WRITE:
                self._current[call.file].pending.append(Change(self.calls, call.place, call.data))
            case Kind.TRUNCATE:
                self._current[call.file].pending.append(Change(self.calls, call.place, None))
            case Kind.SYNC_BEGINS:
                inode = self._current.get(call.file)
                self._syncs[call.place] = (self.calls, call.file, inode)
            case Kind.SYNC_ENDED:
                self._settle(*self._syncs.pop(call.place))
            case Kind.SEND:
                pass

    @property
    def is_certain(self) -> bool:
        """Whether nothing is pending: there is one thing that it can hold."""
        return not self._namings and not any(i.pending for i in self._current.values())

    def image(self, survival: Survival, chance: Random) -> Image:
        """Return what it may hold if the power goes now."""
        names = {**self._certain}
        for naming in self._namings[: _how_many(self._namings, survival, chance)]:
            _rename(names, naming)
        return {file: _bytes(inode, survival, chance) for file, inode in names.items()}

    def _name(self, file: File, inode: Inode | None) -> None:
        naming = Naming(self.calls, file, inode)
        self._namings.append(naming)
        _rename(self._current, naming)

    def _settle(self, before: int, file: File, inode: Inode | None) -> None:
        if inode is not None:
            inode.settle(before)
        if file is File.FOLDER:
            for naming in self._namings:
                if naming.number < before:
                    _rename(self._certain, naming)
            self._namings = [naming for naming in self._namings if naming.number >= before]


def apply(content: bytearray, changes: Sequence[Change]) -> None:
    """Make changes to some bytes, in their order; a gap that they leave is filled with zeros."""
    for change in changes:
        end = change.place if change.data is None else change.place + len(change.data)
        if len(content) < end:
            content.extend(bytes(end - len(content)))
        if change.data is None:
            del content[change.place :]
        else:
            content[change.place : end] = change.data


def _rename(names: dict[File, Inode], naming: Naming) -> None:
    if naming.inode is None:
        names.pop(naming.file, None)
    else:
        names[naming.file] = naming.inode


def _how_many(items: Sequence[object], survival: Survival, chance: Random) -> int:
    if survival is Survival.NOTHING:
        return 0
    return len(items) if survival is Survival.ALL else chance.randint(0, len(items))


def _bytes(inode: Inode, survival: Survival, chance: Random) -> bytes:
    content = bytearray(inode.certain)
    apply(content, _surviving(inode.pending, survival, chance))
    return bytes(content)


def _surviving(pending: list[Change], survival: Survival, chance: Random) -> list[Change]:
    match survival:
        case Survival.NOTHING:
            return []
        case Survival.ALL:
            return pending
        case Survival.BEGINNING:
            return pending[: chance.randint(0, len(pending))]
        case Survival.TORN:
            whole = chance.randrange(len(pending)) if pending else 0
            return [*pending[:whole], *_beginning(pending[whole : whole + 1], chance)]
        case Survival.WRITES:
            return [change for change in pending if chance.getrandbits(1)]
        case Survival.SECTORS:
            sectors = [part for change in pending for part in _sectors(change)]
            return [part for part in sectors if chance.getrandbits(1)]


def _beginning(torn: list[Change], chance: Random) -> list[Change]:
    """Return the first sectors of a write."""
    sectors = [part for change in torn for part in _sectors(change)]
    return sectors[: chance.randint(0, len(sectors))]


def _sectors(change: Change) -> list[Change]:
    """Return a write as one for each sector of the disk that it touches."""
    if change.data is None:
        return [change]
    end = change.place + len(change.data)
    edges = range(change.place - change.place % SECTOR, end, SECTOR)
    return [
        Change(
            change.number,
            max(edge, change.place),
            change.data[max(edge - change.place, 0) : edge + SECTOR - change.place],
        )
        for edge in edges
    ]
