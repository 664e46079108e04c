"""The refusals and configurations of a store on PostgreSQL, in its database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, Final

import psycopg
from attrs import frozen

from adapters.store.faults import in_one_line
from adapters.store.postgres.datastore import in_transaction
from adapters.store.postgres.link import PostgresConnection, connected_to
from adapters.store.postgres.rows import PostgresCursor
from domain.application.ports import StoreUnavailable

_BEGIN: Final = (
    "BEGIN ISOLATION LEVEL READ COMMITTED",
    # Gateways take turns, so that what one counts is not held up by what another drops.
    "LOCK TABLE totals IN SHARE ROW EXCLUSIVE MODE",
)


@frozen
class _OpenTables:
    connection: PostgresConnection

    @contextmanager
    def transaction(self) -> Iterator[PostgresCursor]:
        with in_transaction(self.connection, *_BEGIN):
            yield PostgresCursor(self.connection)

    def make(self, _: Sequence[str]) -> None:
        """Do nothing: a migration has made them."""

    def close(self) -> None:
        self.connection.close()


@frozen
class SideDatabase:
    """The tables in a database, which `taskflow store migrate` has made."""

    url: str

    @property
    def name(self) -> str:
        """Return what it is called in sentences."""
        return "the database"

    def open(self) -> _OpenTables:
        """Connect to write.

        Raises:
            StoreUnavailable: if it cannot be reached.
        """
        try:
            return _OpenTables(connected_to(self.url))
        except psycopg.Error as error:
            raise StoreUnavailable(f"the database: {in_one_line(error)}") from error

    def select(self, _table: str, query: str, *params: object) -> Sequence[Any]:
        """Return rows.

        Raises:
            StoreUnavailable: if they cannot be read.
        """
        try:
            with closing(connected_to(self.url)) as connection:
                cursor = PostgresCursor(connection)
                cursor.execute(query, params)
                return cursor.fetchall()
        except psycopg.Error as error:
            raise StoreUnavailable(f"the database: {in_one_line(error)}") from error
