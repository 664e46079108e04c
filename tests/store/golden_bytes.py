"""The bytes that were stored by released versions, and what they must load as, for ever.

One file a name, `golden/<name>.json`: a list of entries with a title, the release that stored such
bytes first, the bytes (`stored`, as text: they are JSON), and the value with all its fields.
`stored` never changes. `loads_as` changes only with an upcaster, which has to say what it adds.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from enum import Enum
from pathlib import Path
from typing import Any, Final

from attrs import fields_dict, frozen, has
from eventsourcing.persistence import StoredEvent

from adapters.store.mapper import FlowMapper, OrjsonTranscoder
from adapters.store.snapshot import FlowSnapshot, Stored
from domain.application.recorded_events import RecordedEvent
from domain.flow.values import Json, Keep

FOLDER: Final = Path(__file__).parent / "golden"
MAPPER: Final = FlowMapper(OrjsonTranscoder())


def old_store(path: Path) -> None:
    """Write a store as the last release before the views of flows left it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((FOLDER / "store.v1.sql").read_text(encoding="utf-8"))
        connection.execute("PRAGMA journal_mode=WAL")


@frozen
class Golden:
    """Some stored bytes, and the value that they must load as."""

    name: str
    title: str
    since: str
    stored: str
    loads_as: Any

    def load(self) -> Stored:
        """Load the bytes as today's program does."""
        stored = StoredEvent("flow-1", 1, self.name, self.stored.encode())
        loaded = MAPPER.to_domain_event(stored)
        assert isinstance(loaded, RecordedEvent | FlowSnapshot)
        return loaded


def golden_file(name: str) -> Path:
    """Return where the golden bytes of a name are."""
    return FOLDER / f"{name}.json"


def read_golden(name: str) -> list[Golden]:
    """Return the golden bytes of a name, none if there are none yet."""
    file = golden_file(name)
    entries = json.loads(file.read_text("utf-8")) if file.exists() else []
    return [Golden(name=name, **entry) for entry in entries]


def every_golden() -> list[Golden]:
    """Return all golden bytes."""
    return [entry for file in sorted(FOLDER.glob("*.json")) for entry in read_golden(file.stem)]


def described(stored: Stored) -> Any:  # noqa: ANN401 - plain JSON
    """Return a stored value as plain JSON that owes nothing to the codec."""
    if isinstance(stored, FlowSnapshot):
        return {"Flow": _plain(stored.flow)}
    return {type(stored.event).__name__: _plain(stored.event), "Metadata": _plain(stored.metadata)}


def _plain(value: object) -> Any:  # noqa: ANN401 - plain JSON
    kind = type(value)
    if isinstance(value, Json):
        return {"json": value.text}
    if isinstance(value, Keep):
        return {"keep": True}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if has(kind):
        return {name: _plain(getattr(value, name)) for name in fields_dict(kind)}
    return value
