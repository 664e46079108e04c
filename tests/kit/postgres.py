"""The durable store on PostgreSQL, as the kit drives it: emptied for each run."""

from __future__ import annotations

from adapters.store import EventSourcedStore, open_for_writing
from adapters.testing.drivers import Driver, DriverFactory, ServiceDriver
from domain.application.ports import Clock, FlowStore, NewId
from tests.postgres.server import empty


def postgres_service(url: str) -> DriverFactory:
    """Return what drives the service over a database that was migrated."""

    def drive(clock: Clock, new_id: NewId) -> Driver:
        empty(url)
        store = open_for_writing(url)
        return ServiceDriver(store, clock, new_id, reopen=_reopened, release=_closed)

    def _reopened(store: FlowStore) -> EventSourcedStore:
        _closed(store)
        return open_for_writing(url)

    return drive


def _closed(store: FlowStore) -> None:
    assert isinstance(store, EventSourcedStore)
    store.close()
