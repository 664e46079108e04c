"""What the store asks of a database, whichever it is: SQLite's statements, within transactions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from eventsourcing.persistence import StoredEvent

from adapters.store.custody import Custody
from adapters.store.recorder import StoredCommit
from domain.flow.state import Flow


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


class StoreDatabase(Protocol):
    """A database with the tables of a store."""

    @property
    def custody(self) -> Custody | None:
        """Return who watches over its files, if it has any."""
        ...

    def reading(self) -> AbstractContextManager[DatabaseCursor]:
        """Give a cursor within a transaction that sees one moment and changes nothing."""
        ...

    def transaction(self, *, commit: bool) -> AbstractContextManager[DatabaseCursor]:
        """Give a cursor within a transaction, beside which nobody writes if it is committed."""
        ...

    def maintain(self) -> None:
        """Verify it, and do what must be done from time to time."""

    def prepare_end(self) -> None:
        """Do what must be done before it is closed."""


class BatchRecorder(Protocol):
    """What a recorder of ours adds to the library's."""

    def append(
        self, commits: Sequence[StoredCommit], to_snapshot: Callable[[Flow], StoredEvent]
    ) -> Sequence[bool]:
        """Write commits in one transaction, and what follows; say of each if it was written."""
        ...
