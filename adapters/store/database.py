"""What the store asks of a database, whichever it is: SQLite's statements, within transactions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from adapters.store.custody import Custody


class DatabaseCursor(Protocol):
    """Executes statements as they are written for SQLite; a row has values by place and name."""

    def execute(self, query: str, params: Sequence[object] = (), /) -> Any:  # noqa: ANN401 - the cursor, or nothing
        """Execute a statement."""

    def executemany(self, query: str, params: Any, /) -> Any:  # noqa: ANN401 - rows of values
        """Execute a statement for each of several rows of values."""

    def fetchone(self) -> Any:  # noqa: ANN401 - a row
        """Return the next row, or None."""

    def fetchall(self) -> Sequence[Any]:
        """Return all rows that are left."""


class RowCursor(DatabaseCursor, Protocol):
    """Gives the rows of a SELECT one after the other too."""

    def __iter__(self) -> Iterator[Any]:
        """Return the rows that are left."""


class DatabaseLink(Protocol):
    """What leads to a database of another process, and may break."""

    @property
    def is_up(self) -> bool:
        """Say whether the database was reached when it was last asked."""
        ...

    @property
    def reconnects(self) -> int:
        """Return how often it was reached again after it was lost."""
        ...

    @property
    def store_id(self) -> object:
        """Return what is equal for all who opened the same store, by whatever URL."""
        ...


class StoreDatabase(Protocol):
    """A database with the tables of a store."""

    @property
    def custody(self) -> Custody | None:
        """Return who watches over its files, if it has any."""
        ...

    @property
    def link(self) -> DatabaseLink | None:
        """Return what leads to it, if that is not a file."""
        ...

    def reading(self) -> AbstractContextManager[DatabaseCursor]:
        """Give a cursor within a transaction that sees one moment and changes nothing."""
        ...

    def one_statement(self) -> AbstractContextManager[RowCursor]:
        """Give a cursor for one SELECT, which sees one moment."""
        ...

    def never_wait_here(self) -> None:
        """Let `one_statement` wait for no lock of a file's in this thread from now on."""

    def beside(self, cursor: Any, /) -> DatabaseCursor:  # noqa: ANN401 - one of its own
        """Return another cursor on the connection of one."""
        ...

    def transaction(self, *, commit: bool) -> AbstractContextManager[DatabaseCursor]:
        """Give a cursor within a transaction, beside which nobody writes if it is committed."""
        ...

    def fill(
        self,
        cursor: Any,  # noqa: ANN401 - one of its own
        table: str,
        columns: Sequence[str],
        rows: Sequence[Any],
        /,
    ) -> None:
        """Add many rows to a table, in a transaction; no names stand for all columns in order."""

    def stamp(self, cursor: Any, /) -> None:  # noqa: ANN401 - one of its own
        """Mark the database as one of the present version, in a transaction."""

    def maintain(self) -> None:
        """Verify it, and do what must be done from time to time."""

    def prepare_end(self) -> None:
        """Do what must be done before it is closed."""
