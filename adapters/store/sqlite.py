"""A datastore on SQLite: its files watched over, and no commit that is not on disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from threading import Lock, local
from typing import Literal

import eventsourcing.sqlite as es
from eventsourcing.persistence import PersistenceError

from adapters.store.custody import Custody
from adapters.store.database import DatabaseCursor
from adapters.store.faults import StoreFault, root_cause, sqlite_code
from adapters.store.own_connections import OwnConnections
from adapters.store.schema import SCHEMA_VERSION
from adapters.store.sqlite_file import is_read_only
from adapters.store.sqlite_pool import FULL, LOG_LIMIT, Pool
from domain.application.ports import StoreBusy, StoreUnavailable


class Datastore(es.SQLiteDatastore):
    """A datastore with our pool, and its promises checked."""

    link: None = None

    def __init__(self, db_name: str, lock_timeout: int) -> None:
        super().__init__(db_name, lock_timeout=lock_timeout, originator_id_type="text")
        self.pool: Pool = Pool(db_name=db_name, lock_timeout=lock_timeout)
        self.check_read: Callable[[], None] = lambda: None
        self._reading = local()
        self._turn = Lock()
        self._failed = False
        self._own = OwnConnections(self.pool)
        self.custody: Custody | None = None

    def keep(self, custody: Custody) -> None:
        """Watch over the files from now on."""
        # NOTE: what a crash left in the log counts as under way until it is in the database.
        self.checkpoint("PASSIVE")
        custody.begin()
        self.custody = custody
        self.pool.verify = custody.verify

    @contextmanager
    def get_connection(self, *, commit: bool) -> Iterator[es.SQLiteConnection]:
        """Lend a connection, unless the store is no longer what was opened."""
        custody = self.custody
        if custody is not None:
            custody.require()
        try:
            connection = self.pool.get_connection(is_writer=commit)
            try:
                yield connection
            except (PersistenceError, sqlite3.Error) as error:
                # NOTE: SQLite opens a file that it may not write to for reading only, for ever.
                if sqlite_code(root_cause(error)) == sqlite3.SQLITE_READONLY:
                    connection.close()
                raise
            finally:
                self.pool.put_connection(connection)
        except (PersistenceError, sqlite3.Error, UnicodeDecodeError) as error:
            if custody is not None:
                custody.judge(error)
            raise

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[es.SQLiteCursor]:
        """Give a cursor within a transaction; a read within `reading` joins that one.

        Nothing is committed to files that are not in their place. NOTE: they may go while it is
        committed; so a commit counts only when they were there after it as well.
        """
        held: es.SQLiteConnection | None = getattr(self._reading, "connection", None)
        if commit:
            self._verify()
            with self._transaction(commit=True) as cursor:
                yield cursor
            self._verify()
        elif held is None:
            with self._transaction(commit=False) as cursor:
                yield cursor
                self.check_read()
        else:
            cursor = held.cursor()
            with cursor:
                yield cursor

    @contextmanager
    def _transaction(self, *, commit: bool) -> Iterator[es.SQLiteCursor]:
        # PERF: with the library's own layers each transaction takes 5 us longer.
        with (
            self.get_connection(commit=commit) as connection,
            es.SQLiteTransaction(connection, commit=commit) as cursor,
            cursor,
        ):
            yield cursor

    @contextmanager
    def writing(self) -> Iterator[es.SQLiteCursor]:
        """Give a cursor within a transaction, which is on disk when the context ends.

        A database that somebody else has locked is waited for; but not by who writes after it was
        waited for in vain, until a commit has succeeded: the callers of each would wait as well.
        """
        with self._turn:
            failed, self._failed = self._failed, True
            with (
                self.transaction(commit=True) as cursor,
                no_patience(self, cursor) if failed else nullcontext(),
            ):
                yield cursor
            self._failed = False

    @contextmanager
    def paused(self) -> Iterator[bool]:
        """Let nobody write meanwhile, and yield True; or False, if somebody writes just now."""
        is_idle = self._turn.acquire(blocking=False)
        try:
            yield is_idle
        finally:
            if is_idle:
                self._turn.release()

    def _verify(self) -> None:
        if self.custody is not None:
            self.custody.verify()

    def checkpoint(self, mode: Literal["PASSIVE", "TRUNCATE"]) -> bool:
        """Move what is in the log to the database, and say whether all was moved; wait for nobody.

        PASSIVE holds up nobody; TRUNCATE holds up writers, and empties the file of the log.
        """
        with self.get_connection(commit=mode == "TRUNCATE") as connection:
            cursor = connection.cursor()
            with no_patience(self, cursor):
                cursor.execute(f"PRAGMA wal_checkpoint({mode})")
                busy, frames, moved = cursor.fetchone()
        return not busy and frames == moved

    def save_log(self) -> None:
        """Move to the database what is in a log that is gone from its name, if that can be done."""
        with (
            suppress(PersistenceError, StoreUnavailable, sqlite3.Error),
            super().get_connection(commit=False) as connection,  # for custody lends none any more
        ):
            connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")

    @contextmanager
    def reading(self) -> Iterator[es.SQLiteCursor]:
        """Give a cursor within a transaction that sees one moment and changes nothing.

        All that this thread reads inside, also through the library, sees the same moment. PERF:
        a transaction costs about 25 us with its turn at the pool; a load has three reads.
        """
        held: es.SQLiteConnection | None = getattr(self._reading, "connection", None)
        if held is not None:
            with held.cursor() as joined:
                yield es.SQLiteCursor(joined)
            return
        with (
            self.get_connection(commit=False) as connection,
            es.SQLiteTransaction(connection) as cursor,
            cursor,
        ):
            self._reading.connection = connection
            try:
                yield cursor
            finally:
                self._reading.connection = None
                self.check_read()

    def never_wait_here(self) -> None:
        """Let `one_statement` wait for no lock in this thread from now on."""
        self._own.never_wait_here()

    @contextmanager
    def one_statement(self) -> Iterator[sqlite3.Cursor]:
        """Give a cursor for one SELECT, which sees one moment, on a connection of this thread's.

        PERF: without a turn at the pool, BEGIN and COMMIT, which cost more than the SELECT.

        Raises:
            StoreBusy: if it would have to wait, in a thread that never waits.
        """
        if self.pool.is_sqlite_memory_mode:  # whose readers and writers take turns
            with self.reading() as shared:
                yield shared.sqlite_cursor
            return
        if self.custody is not None:
            self.custody.require()
        try:
            cursor = self._own.get().cursor()
            try:
                yield cursor
            finally:
                cursor.close()  # else the moment that it saw is kept
            self.check_read()
        except (PersistenceError, sqlite3.Error, UnicodeDecodeError) as error:
            if self._own.hurries() and sqlite_code(root_cause(error)) & 0xFF == sqlite3.SQLITE_BUSY:
                raise StoreBusy(str(error)) from error
            self._own.close_mine()
            if self.custody is not None:
                self.custody.judge(error)
            raise

    def close(self) -> None:
        """Close all connections."""
        super().close()
        self._own.close()

    def beside(self, cursor: sqlite3.Cursor) -> es.SQLiteCursor:
        """Return another cursor on the connection of one."""
        return es.SQLiteCursor(cursor.connection.cursor())

    def fill(
        self,
        cursor: DatabaseCursor,
        table: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[object]],
    ) -> None:
        """Add many rows to a table, in a transaction; no names stand for all columns in order."""
        if rows:
            names, marks = f"({','.join(columns)})" if columns else "", ",".join("?" * len(rows[0]))
            cursor.executemany(f"INSERT INTO {table} {names} VALUES ({marks})", rows)  # noqa: S608 - names of ours

    def stamp(self, cursor: es.SQLiteCursor) -> None:
        """Mark the file as one of the present version, in a transaction."""
        cursor.execute(f"PRAGMA user_version={SCHEMA_VERSION}")

    def maintain(self) -> None:
        """Verify the files, and shorten a write-ahead log that a long reader let grow.

        A store in memory needs neither. What is long is moved to the database while writers go on;
        then they are held up for as long as it takes to empty the file, unless one of them writes
        now or a reader still needs the log: then the next time.
        """
        if self.custody is None:
            return
        self.custody.verify()
        if self.custody.log_size() > LOG_LIMIT and self.checkpoint("PASSIVE"):
            with self.paused() as is_idle:
                if is_idle:
                    self.checkpoint("TRUNCATE")

    def prepare_end(self) -> None:
        """Look at the files once more, and save what else nobody would find."""
        if self.custody is not None:
            self.custody.prepare_end()
            if self.custody.is_log_adrift():
                self.save_log()

    def check_promises(self) -> None:
        """Check that the database writes ahead and syncs.

        Raises:
            StoreFault: if it does not, as on some network file systems.
        """
        if is_read_only(self.pool.db_name):
            return
        with self.reading() as cursor:
            journal = _pragma(cursor, "journal_mode")
            synchronous = _pragma(cursor, "synchronous")
        expected = "memory" if self.pool.is_sqlite_memory_mode else "wal"
        if journal != expected or synchronous != FULL:
            found = f"journal_mode={journal}, synchronous={synchronous}"
            raise StoreFault(f"{self.pool.db_name}: a write would not survive a power cut: {found}")


@contextmanager
def no_patience(datastore: Datastore, cursor: es.SQLiteCursor) -> Iterator[None]:
    """Wait for no lock meanwhile; afterwards as the datastore does."""
    cursor.execute("PRAGMA busy_timeout=0")
    try:
        yield
    finally:
        cursor.execute(f"PRAGMA busy_timeout={(datastore.pool.lock_timeout or 0) * 1000}")


def _pragma(cursor: es.SQLiteCursor, name: str) -> object:
    cursor.execute(f"PRAGMA {name}")
    value: object = cursor.fetchone()[0]
    return value
