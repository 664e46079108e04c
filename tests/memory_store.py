"""The kit's store in memory, which notes what it is asked, and lets others write in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import Factory, define

from adapters.testing.memory import MemoryStore
from domain.application.ports import StoreUnavailable
from domain.application.recorded_events import RecordedEvent

WRITE: Final = frozenset({"append_many"})
READ: Final = frozenset(
    {"find", "find_named", "load", "load_many", "latest", "page", "position_of"}
    | {"find_json", "latest_json", "page_json"}
)


@define
class WatchedStore(MemoryStore):
    """A store in memory that can be watched and disturbed.

    `asked` lists the methods that were called. `meanwhile` holds what other writers do, one entry
    right before each write. The methods named in `broken` fail.
    """

    asked: list[str] = Factory(list)
    meanwhile: list[Callable[[], object]] = Factory(list)
    broken: frozenset[str] = frozenset()

    @property
    def records(self) -> list[RecordedEvent]:
        """All that was recorded, flow by flow."""
        return [record for stream in self.streams.values() for record in stream]

    def _enter(self, method: str) -> None:
        if method == "append_many" and self.meanwhile:
            self.meanwhile.pop(0)()
        self.asked.append(method)
        if method in self.broken:
            raise StoreUnavailable(f"{method} does not work now")
