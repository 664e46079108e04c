"""Connections to SQLite as we want them: WAL, every commit synced, none left in a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final

import eventsourcing.sqlite as es
from eventsourcing.persistence import InterfaceError

from adapters.store.sqlite_file import is_read_only
from domain.application.ports import StoreUnavailable

FULL: Final = 2
"""`PRAGMA synchronous`: a commit is on disk, not only with the system, when it returns."""

LOG_LIMIT: Final = 8 << 20
"""Bytes of the write-ahead log that are kept on disk. SQLite empties it from 4 MiB (1,000 pages)
on, but never makes the file shorter by itself; a long reader lets it grow without a bound."""

_STATEMENTS: Final = 256
"""How many compiled statements a connection keeps; of one row and of up to sixteen."""


class StoreConnection(es.SQLiteConnection):
    """A connection whose failed commit leaves no transaction behind.

    After a full disk or an I/O error SQLite may keep the transaction open; the pool would hand the
    connection to the next writer, whose BEGIN then fails for ever.
    """

    def commit(self) -> None:
        """Commit, or roll back and raise."""
        try:
            super().commit()
        except sqlite3.Error:
            self.rollback()
            raise


class Pool(es.SQLiteConnectionPool):
    """Connections that sync every commit."""

    verify: Callable[[], None] | None = None
    """Tries whether a new connection is to the file that the others are to."""

    def get_connection(
        self, timeout: float | None = None, *, is_writer: bool | None = None
    ) -> es.SQLiteConnection:
        """Issue a connection, or raise and give back the turn that was taken for it.

        NOTE: the library keeps a writer's turn when its connection cannot be made (no file
        descriptor left, say), and nobody could write any more until the process ends.
        """
        try:
            return super().get_connection(timeout, is_writer=is_writer)
        except (InterfaceError, StoreUnavailable):
            if is_writer:
                self._num_writers -= 1
                self._writer_lock.release()
            raise

    def put_connection(self, conn: es.SQLiteConnection) -> None:
        """Take a connection back, to be the next that is issued.

        PERF: the library issues them in turn. Of two, each then finds that the other has written,
        and reads again what it knew: 25 pages a transaction.
        """
        super().put_connection(conn)
        self._pool.rotate()

    def _create_connection(self) -> StoreConnection:
        """Make a connection for the pool, as the library does."""
        return StoreConnection(sqlite_conn=self.connect(), max_age=self.max_age)

    def connect(self) -> sqlite3.Connection:
        """Make a connection that syncs, and keeps statements compiled.

        PERF: the library passes `cached_statements=True`, which is 1: every statement is compiled
        again each time, which costs a load 80 us with four callers at once.
        """
        try:
            raw = sqlite3.connect(
                self.db_name,
                uri=True,
                check_same_thread=False,
                isolation_level=None,
                cached_statements=_STATEMENTS,
                timeout=self.lock_timeout or es.SQLITE3_DEFAULT_LOCK_TIMEOUT,
            )
            if not (self.is_sqlite_memory_mode or self.is_journal_mode_wal):
                self._write_ahead(raw)
            raw.execute("PRAGMA synchronous=FULL")
            raw.execute(f"PRAGMA journal_size_limit={LOG_LIMIT}")
        except sqlite3.Error as error:
            raise InterfaceError(str(error)) from error
        if self.verify is not None:
            self.verify()
        raw.row_factory = sqlite3.Row
        return raw

    def _write_ahead(self, raw: sqlite3.Connection) -> None:
        mode: str = raw.execute("PRAGMA journal_mode").fetchone()[0]
        # NOTE: a copy that is only read stays in whatever journal mode it has.
        if mode.lower() != "wal" and not is_read_only(self.db_name):
            raw.execute("PRAGMA journal_mode=WAL")
            self.journal_mode_was_changed_to_wal = True
        self.is_journal_mode_wal = True
