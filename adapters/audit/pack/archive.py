"""A ZIP file that has the same bytes whenever the same members are written to it.

NOTE: nothing is compressed. Deflated bytes depend on the version of zlib, and two auditors on two
machines must be able to compare one hash.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import IO, Any, Final
from zipfile import ZipFile, ZipInfo

from attrs import Factory, define, frozen

_MOMENT: Final = (1980, 1, 1, 0, 0, 0)
"""The first that a ZIP file can name."""
_UNIX: Final = 3
_PLAIN_FILE: Final = 0o100644 << 16


@frozen
class Member:
    """A file in an archive, as it was written; `sha256` is in hexadecimal."""

    name: str
    bytes: int
    sha256: str


@define
class MemberWriter:
    """Writes to one member, and counts and hashes what it writes."""

    file: IO[bytes]
    count: int = 0
    digest: Any = Factory(sha256)

    def write(self, octets: bytes) -> None:
        """Write some bytes."""
        self.file.write(octets)
        self.digest.update(octets)
        self.count += len(octets)


@define
class Archive:
    """An archive that is being written, and its members so far."""

    file: ZipFile
    members: list[Member] = Factory(list)

    @contextmanager
    def member(self, name: str) -> Iterator[MemberWriter]:
        """Write a member, of any size, before the next one."""
        info = ZipInfo(name, _MOMENT)
        info.create_system, info.external_attr = _UNIX, _PLAIN_FILE
        with self.file.open(info, "w", force_zip64=True) as file:
            writer = MemberWriter(file)
            yield writer
        self.members.append(Member(name, writer.count, writer.digest.hexdigest()))

    def add(self, name: str, octets: bytes) -> None:
        """Write a member whose bytes are known."""
        with self.member(name) as writer:
            writer.write(octets)
