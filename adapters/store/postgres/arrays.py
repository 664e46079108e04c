"""Columns of values as arrays in the server's binary form.

PERF: psycopg looks at each value of a list for its type; of the columns of a batch it is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct, pack
from typing import Any, ClassVar, Final

from psycopg import adapt
from psycopg.pq import Format

_HEAD: Final = Struct("!iiIii")
_NO_VALUES: Final = Struct("!iiI")
_NULL: Final = pack("!i", -1)
_NUMBER: Final = Struct("!iq")
_FLAG: Final = Struct("!i?")


class Texts(list[Any]):
    """A column of text."""


class Numbers(list[Any]):
    """A column of whole numbers."""


class Flags(list[Any]):
    """A column of truth values."""


class Blobs(list[Any]):
    """A column of bytes."""


class _ArrayDumper(adapt.Dumper):
    format = Format.BINARY
    element: ClassVar[int]

    def dump(self, obj: list[Any]) -> bytes:
        if not obj:
            return _NO_VALUES.pack(0, 0, self.element)
        head = _HEAD.pack(1, None in obj, self.element, len(obj), 1)
        return b"".join([head, *self.parts(obj)])

    def parts(self, values: list[Any]) -> Iterable[bytes]:
        """Return the values, each behind its length."""
        raise NotImplementedError


class _TextsDumper(_ArrayDumper):
    oid, element = 1009, 25

    def parts(self, values: list[str | None]) -> Iterable[bytes]:
        for value in values:
            data = None if value is None else value.encode()
            yield _NULL if data is None else len(data).to_bytes(4, "big") + data


class _BlobsDumper(_ArrayDumper):
    oid, element = 1001, 17

    def parts(self, values: list[bytes | None]) -> Iterable[bytes]:
        for value in values:
            yield _NULL if value is None else len(value).to_bytes(4, "big") + value


class _NumbersDumper(_ArrayDumper):
    oid, element = 1016, 20

    def parts(self, values: list[int | None]) -> Iterable[bytes]:
        return [_NULL if value is None else _NUMBER.pack(8, value) for value in values]


class _FlagsDumper(_ArrayDumper):
    oid, element = 1000, 16

    def parts(self, values: list[bool]) -> Iterable[bytes]:
        return [_FLAG.pack(1, value) for value in values]


def register_arrays(adapters: adapt.AdaptersMap) -> None:
    """Have the columns above passed as they are here."""
    adapters.register_dumper(Texts, _TextsDumper)
    adapters.register_dumper(Numbers, _NumbersDumper)
    adapters.register_dumper(Flags, _FlagsDumper)
    adapters.register_dumper(Blobs, _BlobsDumper)
