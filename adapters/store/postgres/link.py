"""Connections to one database: each call has a deadline of ours, and what broke is made again.

Neither `statement_timeout` nor TCP ends a wait for a stopped server, so each call to it is given up
after a while, and its connection with it. Who comes after that is refused at once, until a thread
beside has reached the database again: a thread that answers many callers must not wait for each.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Condition, Thread
from typing import Final, TypeAlias, TypeVar

import eventsourcing.persistence as es
import psycopg
from psycopg.abc import PQGen

from adapters.store.faults import in_one_line, undone_by
from adapters.store.postgres.arrays import register_arrays
from adapters.store.postgres.rows import PostgresRow, row_factory

T = TypeVar("T")

SERVING_SECONDS: Final = 2.0
"""How long a gateway waits for one answer of the database."""

WORKING_SECONDS: Final = 600.0
"""How long a command that looks at, or makes again, the whole store waits for one answer."""

CLIENT_ENCODING: Final = "utf8"
"""Whatever the role has: names may hold any character."""

_CONNECT_SECONDS: Final = 2
_PROBE_SECONDS: Final = 0.1
_MOST_IDLE: Final = 16
_ENDS: Final = ("08", "57P", "25P03", "XX")
"""How the codes begin with which a server ends a connection."""

_Check: TypeAlias = Callable[["PostgresConnection"], None]


class PostgresConnection(psycopg.Connection[PostgresRow]):
    """A connection that gives a call up after a while."""

    patience: float = SERVING_SECONDS

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Wait for an answer; a connection that did not answer in time is closed.

        Raises:
            psycopg.OperationalError: if there is none in time.
        """
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except psycopg.Error as error:
            # NOTE: without a code it is not the database that speaks; with these it ends the
            # connection, maybe between a commit and its answer. What it did is not known.
            if error.sqlstate is None or error.sqlstate.startswith(_ENDS):
                self.close()
            raise

    @property
    def is_idle_and_whole(self) -> bool:
        """Whether nothing has come while nothing was asked, as the end of the connection would."""
        if self.closed:
            return False
        news = select.poll()  # NOTE: `select.select` takes no descriptor from 1,024 on
        news.register(self.fileno(), select.POLLIN)
        return not news.poll(0)


class DatabaseUnreachable(es.OperationalError):
    """The database cannot be reached now; it was not asked."""


class ConnectionBroken(es.OperationalError):
    """The connection broke; what was asked may have happened, or may yet happen."""


class PostgresLink:
    """Lends connections to a database, each to one thread at a time."""

    def __init__(self, url: str, patience: float, check: _Check = lambda _: None) -> None:
        """Connect to nothing yet; each new connection is passed to `check`, which may raise."""
        self.check = check
        self.store_id: object = None
        self.reconnects = 0
        self._url = url
        self._patience = patience
        self._idle: list[PostgresConnection] = []
        self._changed = Condition()
        self._fault: str | None = None
        self._closed = False

    @property
    def is_up(self) -> bool:
        """Whether the database was reached when it was last asked."""
        return self._fault is None

    @contextmanager
    def lend(self) -> Iterator[PostgresConnection]:
        """Lend a connection in autocommit mode; faults of psycopg are the library's then.

        Raises:
            DatabaseUnreachable: if the database is not reached.
            ConnectionBroken: if the connection breaks.
        """
        connection = self._take()
        try:
            yield connection
        except psycopg.IntegrityError as error:
            raise es.IntegrityError(in_one_line(error)) from error
        except psycopg.Error as error:
            if connection.closed:
                self._lose(in_one_line(error))
                raise ConnectionBroken(in_one_line(error)) from error
            raise es.OperationalError(in_one_line(error)) from error
        finally:
            self._give_back(connection)

    def wait(self, seconds: float) -> bool:
        """Wait until the database is reached again; say whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: self._fault is None or self._closed, seconds)

    def close(self) -> None:
        """Close all connections that are not lent, and lend none any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self.close_idle()

    def close_idle(self) -> None:
        """Close all connections that are not lent."""
        with self._changed:
            self._drop_idle()

    def _take(self) -> PostgresConnection:
        with self._changed:
            if self._closed:
                raise es.ConnectionPoolClosedError
            if self._fault is not None:
                raise DatabaseUnreachable(self._fault)
            while self._idle:
                connection = self._idle.pop()
                if connection.is_idle_and_whole:
                    return connection
                connection.close()
        try:
            return self._connect()
        except psycopg.Error as error:
            self._lose(in_one_line(error))
            raise DatabaseUnreachable(in_one_line(error)) from error

    def _give_back(self, connection: PostgresConnection) -> None:
        with self._changed:
            keep = not (connection.closed or self._closed or self._fault)
            if keep and len(self._idle) < _MOST_IDLE and _is_at_rest(connection):
                self._idle.append(connection)
                return
        connection.close()

    def _connect(self) -> PostgresConnection:
        connection = connected_to(self._url)
        connection.patience = self._patience
        with undone_by(connection.close):
            self.check(connection)
        return connection

    def _lose(self, fault: str) -> None:
        """Refuse all callers until a thread beside has reached the database."""
        with self._changed:
            if self._fault is not None or self._closed:
                return
            self._fault = fault
            self._drop_idle()
        Thread(target=self._probe, name="reaching the database", daemon=True).start()

    def _probe(self) -> None:
        while not self._is_found():
            with self._changed:
                if self._changed.wait_for(lambda: self._closed, _PROBE_SECONDS):
                    return

    def _is_found(self) -> bool:
        try:
            connection = self._connect()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
            with self._changed:
                self._fault = in_one_line(error)
            return False
        with self._changed:
            self._fault = None
            self.reconnects += 1
            self._changed.notify_all()
        self._give_back(connection)
        return True

    def _drop_idle(self) -> None:
        while self._idle:
            with suppress(psycopg.Error):
                self._idle.pop().close()


def connected_to(url: str) -> PostgresConnection:
    """Connect to a database, each statement a transaction of its own.

    NOTE: a pooler may give each transaction another connection, which knows no statement that was
    prepared before; so nothing is prepared where the URL names one.

    Raises:
        psycopg.Error: if it cannot be reached in time.
    """
    server = without_pooler(url)
    connection = PostgresConnection.connect(
        server,
        autocommit=True,
        prepare_threshold=5 if server == url else None,
        row_factory=row_factory,
        connect_timeout=_CONNECT_SECONDS,
        client_encoding=CLIENT_ENCODING,
        fallback_application_name="taskflow",
    )
    register_arrays(connection.adapters)
    return connection


def without_pooler(url: str) -> str:
    """Return a URL as libpq reads it, without our own option for a pooler."""
    server, _, options = url.partition("?")
    kept = "&".join(each for each in options.split("&") if each != "pooler=transaction")
    return f"{server}?{kept}" if kept else server


def _is_at_rest(connection: PostgresConnection) -> bool:
    return connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
