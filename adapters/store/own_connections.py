"""Connections to SQLite of which a thread has one for itself, without a turn at the pool."""

from __future__ import annotations

import sqlite3
from threading import local

from eventsourcing.persistence import ConnectionPoolClosedError

from adapters.store.sqlite_pool import Pool


class OwnConnections:
    """The connections of all threads, each as a pool makes them."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._own = local()
        self._owned: list[sqlite3.Connection] = []

    def never_wait_here(self) -> None:
        """Let the connection of this thread wait for no lock, if it has none yet."""
        self._own.hurries = True

    def hurries(self) -> bool:
        """Say whether this thread waits for no lock."""
        return getattr(self._own, "hurries", False)

    def get(self) -> sqlite3.Connection:
        """Return the connection of this thread."""
        if self._pool.closed:
            raise ConnectionPoolClosedError
        connection: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._pool.connect()
            if self.hurries():
                connection.execute("PRAGMA busy_timeout=0")
            self._own.connection = connection
            self._owned.append(connection)
        return connection

    def close_mine(self) -> None:
        """Close the connection of this thread, if it has one; the next is a new one."""
        connection: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if connection is not None:
            self._own.connection = None
            self._owned.remove(connection)
            connection.close()

    def close(self) -> None:
        """Close the connections of all threads."""
        while self._owned:
            self._owned.pop().close()
