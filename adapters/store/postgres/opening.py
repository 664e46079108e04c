"""How a store on PostgreSQL is opened: by any number of processes, which may all write to it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Final

import psycopg
from eventsourcing.utils import Environment

from adapters.store.faults import StoreFault, in_one_line
from adapters.store.lock import LockPatience
from adapters.store.postgres.datastore import PostgresDatastore
from adapters.store.postgres.link import (
    SERVING_SECONDS,
    WORKING_SECONDS,
    PostgresConnection,
    PostgresLink,
    connected_to,
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

_LOOK_EVERY: Final = 0.1

__all__ = ["PostgresStore", "connected", "migrate_schema"]


def connected(
    url: str,
    *,
    lasting: bool = False,
    reading: bool = False,
    unfinished: bool = False,
    patience: LockPatience | None = None,
) -> tuple[PostgresDatastore, Callable[[Environment], PostgresFactory]]:
    """Return the datastore of a database that was checked, and what makes recorders over it.

    Where what is asked may be `lasting`, its answers are waited for as long as they take. For
    `reading` a role needs none of the settings, and the database may be a standby. A server that
    does not answer yet is waited for with `patience`.

    Raises:
        StoreFault: if it has no store of this version, or cannot be used.
    """
    check = check_to_copy if unfinished else check_to_read if reading else check_to_write
    link = PostgresLink(url, WORKING_SECONDS if lasting else SERVING_SECONDS)
    try:
        with _connected(url, patience) as connection:
            identity = check(connection)
    except psycopg.Error as error:
        raise StoreFault(f"the database cannot be used: {in_one_line(error)}") from error
    link.store_id = identity
    link.check = partial(_check_same, identity, check)
    datastore = PostgresDatastore(link, identity.schema)
    return datastore, lambda env: PostgresFactory(env, datastore)


def _connected(url: str, patience: LockPatience | None) -> PostgresConnection:
    end = None if patience is None else time.monotonic() + patience.seconds
    said = False
    while True:
        try:
            return connected_to(url)
        except psycopg.OperationalError:
            if patience is None or end is None or time.monotonic() > end:
                raise
            if not said:
                patience.on_wait("")
            said = True
            time.sleep(_LOOK_EVERY)


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
