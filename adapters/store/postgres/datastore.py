"""The library's datastore for PostgreSQL, over connections of ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import local
from typing import Any, Final
from uuid import uuid4

import eventsourcing.postgres as es
import psycopg
from psycopg import Cursor
from psycopg.sql import SQL, Identifier

from adapters.store.postgres.link import PostgresConnection, PostgresLink
from adapters.store.postgres.rows import PostgresCursor

_READ: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
# Who makes rows again reads all of them, and queues behind all gateways.
_WRITE: Final = (
    "BEGIN ISOLATION LEVEL READ COMMITTED",
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL lock_timeout = '60s'",
    "SELECT pg_advisory_xact_lock(4711, hashtext(current_schema()))",
    "SELECT 1 FROM log_head FOR UPDATE",
)

_TYPES: Final = (
    "SELECT column_name, udt_name FROM information_schema.columns"
    " WHERE table_schema = current_schema() AND table_name = ?"
    " ORDER BY ordinal_position"
)
# Numbers that the database gives go on behind those that were copied; others are not its own.
_GO_ON: Final = "SELECT setval(pg_get_serial_sequence('{0}', 'number'), max(number)) FROM {0}"


class PostgresDatastore(es.PostgresDatastore):
    """Statements of the store and of the library, on lent connections."""

    custody: None = None
    """There are no files to watch: a database is known by the id of its store."""

    def __init__(self, link: PostgresLink, schema: str) -> None:
        """Take over a link. NOTE: the library's own initialiser would make its pool."""
        self.link = link
        self.schema = schema
        self.originator_id_type = "text"
        self.enable_db_functions = False
        self.lock_timeout = 0
        self.db_type_names = set()
        self._reading = local()

    def register_type_adapters(self) -> None:
        """Register nothing: the types are for the library's inserts."""

    @contextmanager
    def get_connection(self) -> Iterator[Any]:
        """Lend a connection; within `reading` the one of that moment."""
        held: PostgresConnection | None = getattr(self._reading, "connection", None)
        if held is not None:
            yield held
            return
        with self.link.lend() as connection:
            yield connection

    @contextmanager
    def one_statement(self) -> Iterator[PostgresCursor]:
        """Give a cursor for one SELECT, which sees one moment."""
        with self.get_connection() as connection:
            yield PostgresCursor(connection)

    @contextmanager
    def reading(self) -> Iterator[PostgresCursor]:
        """Give a cursor within a transaction that sees one moment and changes nothing.

        All that this thread reads inside, also through the library, sees the same moment.
        """
        if getattr(self._reading, "connection", None) is not None:
            with self.one_statement() as joined:
                yield joined
            return
        with self.get_connection() as connection, in_transaction(connection, _READ):
            self._reading.connection = connection
            try:
                yield PostgresCursor(connection)
            finally:
                self._reading.connection = None

    @contextmanager
    def transaction(self, *, commit: bool = False) -> Iterator[Cursor[Any]]:
        """Give a cursor within a transaction, in which nobody else writes if it is committed."""
        if not commit:
            with self.reading() as cursor:
                yield cursor
            return
        with self.get_connection() as connection, in_transaction(connection, *_WRITE):
            yield PostgresCursor(connection)

    def never_wait_here(self) -> None:
        """Do nothing: a read waits for no lock here, but for the server."""

    def beside(self, cursor: PostgresCursor) -> PostgresCursor:
        """Return another cursor on the connection of one."""
        return PostgresCursor(cursor.connection)

    def fill(
        self,
        cursor: PostgresCursor,
        table: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[object]],
    ) -> None:
        """Add many rows to a table, in a transaction; no names stand for all columns in order."""
        types = dict(cursor.execute(_TYPES, (table,)).fetchall())
        names = ["notification_id" if name == "rowid" else name for name in columns or types]
        batch: tuple[object, ...] = ()
        if table == "stored_events":
            names, batch = [*names, "batch_id"], (uuid4(),)
        into = SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
            Identifier(table), SQL(",").join(map(Identifier, names))
        )
        with cursor.copy(into) as copy:
            copy.set_types([types[name] for name in names])
            for row in rows:
                copy.write_row((*row, *batch))
        if "number" in names:
            cursor.execute(_GO_ON.format(table))

    def stamp(self, _: Any) -> None:  # noqa: ANN401 - as asked for
        """Do nothing: the version is that of the tables, which are made by a command."""

    def maintain(self) -> None:
        """Do nothing: each new connection is checked, and the server looks after its files."""

    def prepare_end(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Close the connections."""
        with suppress(AttributeError):  # NOTE: the library calls this when one is collected
            self.link.close()


@contextmanager
def in_transaction(connection: PostgresConnection, *begin: str) -> Iterator[None]:
    """Do something between what begins a transaction and its end."""
    for statement in begin:
        connection.execute(statement)
    try:
        yield
    except BaseException:
        if not connection.closed:
            with suppress(psycopg.Error):
                connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
