"""The durable store, as the kit drives it: one file a run, closed and opened again at a restart."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from adapters.store import EventSourcedStore, open_for_writing
from adapters.testing.drivers import Driver, ServiceDriver
from domain.application.ports import Clock, FlowStore, NewId


def sqlite_service(clock: Clock, new_id: NewId) -> Driver:
    """Drive the service over a store in a new file, which goes with the run."""
    folder = Path(tempfile.mkdtemp(prefix="taskflow-kit-"))
    url = f"sqlite:///{folder / 'flows.db'}"

    def reopen(store: FlowStore) -> EventSourcedStore:
        _closed(store)
        return open_for_writing(url)

    def release(store: FlowStore) -> None:
        _closed(store)
        shutil.rmtree(folder)

    return ServiceDriver(open_for_writing(url), clock, new_id, reopen=reopen, release=release)


def _closed(store: FlowStore) -> None:
    assert isinstance(store, EventSourcedStore)
    store.close()
