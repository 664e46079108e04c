"""Orders to the shim: which of a gateway's writes and syncs fail from now on."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from attrs import frozen

from tests.prove.shim import preloaded

_FAULTS: Final = struct.Struct("=6i")
NO_FAULTS: Final = -1


@frozen
class Order:
    """After so many more calls that succeed, so many fail, with an errno."""

    after: int
    times: int
    error: int
    writes: bool = True
    syncs: bool = True


@frozen
class Orders:
    """A page of memory that the shim reads."""

    page: mmap.mmap

    @classmethod
    @contextmanager
    def at(cls, file: Path) -> Iterator[Self]:
        """Lay the page out in a file, with no orders in it."""
        file.write_bytes(_FAULTS.pack(NO_FAULTS, 0, 0, 0, 0, 0))
        with file.open("r+b") as opened, mmap.mmap(opened.fileno(), _FAULTS.size) as page:
            yield cls(page)

    @property
    def failed(self) -> int:
        """How many calls have failed, ever."""
        found: int = _FAULTS.unpack(self.page[:])[5]
        return found

    @contextmanager
    def given(self, order: Order) -> Iterator[None]:
        """Give an order, and take it back."""
        self._write(order)
        yield
        self._write(Order(NO_FAULTS, 0, 0))

    def _write(self, order: Order) -> None:
        # NOTE: the shim looks first at how many are still to succeed, so that is written last.
        rest = (order.times, order.error, order.writes, order.syncs)
        self.page[4:20] = struct.pack("=4i", *rest)
        self.page[0:4] = struct.pack("=i", order.after)


def failing(shim: Path, database: Path, file: Path) -> Mapping[str, str]:
    """Return the environment in which a process follows the orders in a file."""
    return {**preloaded(shim, database), "TASKFLOW_SHIM_FAULTS": str(file)}
