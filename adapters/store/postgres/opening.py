"""How a store on PostgreSQL is opened: by any number of processes, which may all write to it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import psycopg
from eventsourcing.utils import Environment

from adapters.store.faults import StoreFault
from adapters.store.postgres.datastore import PostgresDatastore
from adapters.store.postgres.link import (
    SERVING_SECONDS,
    WORKING_SECONDS,
    PostgresConnection,
    PostgresLink,
)
from adapters.store.postgres.loading import PostgresStore
from adapters.store.postgres.migrate import (
    StoreIdentity,
    check_to_copy,
    check_to_read,
    check_to_write,
    migrate_schema,
)
from adapters.store.postgres.recorder import PostgresFactory

__all__ = ["PostgresStore", "connected", "migrate_schema"]


def connected(
    url: str, *, lasting: bool, reading: bool = False, unfinished: bool = False
) -> tuple[PostgresDatastore, Callable[[Environment], PostgresFactory]]:
    """Return the datastore of a database that was checked, and what makes recorders over it.

    Raises:
        StoreFault: if it has no store of this version, or cannot be used.
    """
    check = check_to_copy if unfinished else check_to_read if reading else check_to_write
    link = PostgresLink(url, WORKING_SECONDS if lasting else SERVING_SECONDS)
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            identity = check(connection)
    except psycopg.Error as error:
        raise StoreFault(f"the database cannot be used: {error}") from error
    link.check = partial(_check_same, identity, check)
    datastore = PostgresDatastore(link, identity.schema)
    return datastore, lambda env: PostgresFactory(env, datastore)


def _check_same(
    opened: StoreIdentity,
    check: Callable[[PostgresConnection], StoreIdentity],
    connection: PostgresConnection,
) -> None:
    """Refuse a database that holds another store than the one that was opened."""
    try:
        found = check(connection)
    except StoreFault as error:
        raise psycopg.OperationalError(str(error)) from error
    if found != opened:
        raise psycopg.OperationalError("the database holds another store than the one opened")
