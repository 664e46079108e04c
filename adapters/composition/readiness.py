"""Whether a gateway should be sent requests, and which of its parts are not ready."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from attrs import define

from adapters.composition.jobs import Jobs
from adapters.composition.shard import Shard
from adapters.composition.shards import Shards
from adapters.schedule.batches import BatchThread
from adapters.store import EventSourcedStore, store_files

LEAST_FREE_BYTES: Final = 32 << 20
"""With less on the disk of the store, a write may be the last one."""

LONGEST_BATCH_SECONDS: Final = 10.0
"""A writer that has worked so long at one batch is stuck: on a disk, or on a server."""


@define(eq=False, kw_only=True)
class Readiness:
    """Looks at the parts of a gateway.

    `signing` says nothing of requests, which are served: it is named, and changes no status; so is
    one of several stores that is gone or stuck, as the owners of the others are served. The `jobs`,
    and what says whether the gateway listens, are known later than the rest.
    """

    store: EventSourcedStore
    folder: Path | None
    writer: BatchThread[Any, Any]
    jobs: Jobs | None = None
    shards: Shards | None = None
    is_listening: Callable[[], bool] = lambda: True
    least_free_bytes: int = LEAST_FREE_BYTES

    def __call__(self) -> tuple[bool, Sequence[str]]:
        """Return whether requests should be sent here, and the parts that are not ready."""
        shards = () if self.shards is None else self.shards.each
        gone = [shard.name for shard in shards if not self._is_sound(shard)]
        of_one: dict[str, Callable[[], bool]] = {
            "store": self.store.is_readable,
            "database": self._is_reached,
            "writer": lambda: _writes(self.writer),
            "disk": lambda: self._has_room(self.folder),
        }
        of_several: dict[str, Callable[[], bool]] = {"store": lambda: len(gone) < len(shards)}
        needed = {"listener": self.is_listening, **(of_several if shards else of_one)}
        missing = [part for part, is_ready in needed.items() if not is_ready()]
        named = [f"shard-{name}" for name in gone]
        return not missing, (*missing, *self._unsigned(), *named)

    def _is_sound(self, shard: Shard) -> bool:
        has_room = self._has_room(folder_of(shard.config.url.url))
        return shard.is_readable() and _writes(shard.open.writer) and has_room

    def _unsigned(self) -> Iterator[str]:
        if self.jobs is not None and not self.jobs.signs:
            yield "signing"
        if self.shards is not None:
            yield from (f"signing-{name}" for name in self.shards.not_signing())

    def _is_reached(self) -> bool:
        link = self.store.link
        return link is None or link.is_up

    def _has_room(self, folder: Path | None) -> bool:
        try:
            return folder is None or free_bytes(folder) >= self.least_free_bytes
        except OSError:
            return False


def _writes(writer: BatchThread[Any, Any]) -> bool:
    return writer.is_alive and writer.busy_seconds < LONGEST_BATCH_SECONDS


def folder_of(url: str) -> Path | None:
    """Return the folder that a store is in, or None if it is in none of this machine."""
    return next((file.parent for file in store_files(url)), None)


def free_bytes(folder: Path | None) -> int:
    """Return how much is free on the disk of a store; OSError if there is none."""
    if folder is None:
        raise FileNotFoundError("the store is not on a disk of this machine")
    return shutil.disk_usage(folder).free
