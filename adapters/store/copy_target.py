"""Where a store is copied to: nobody takes it for a store before it is whole.

A file has another name until then. A database lacks the row of its head, without which nothing is
appended to it, and no process opens it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Final, Protocol

from attrs import frozen

from adapters.store.configurations import TABLES
from adapters.store.database import DatabaseCursor
from adapters.store.faults import StoreFault, usable
from adapters.store.location import Database, File, Memory, parse_url, refuse_stray, sync_folder
from adapters.store.opening import open_for_writing, open_unfinished
from adapters.store.refusals.file import SideFile
from adapters.store.sqlite_file import companion, lock_path, log_path
from adapters.store.store import EventSourcedStore

_UNFINISHED: Final = ".copying"


class CopyTarget(Protocol):
    """A copy that is being made, or was begun."""

    def open(self) -> AbstractContextManager[EventSourcedStore]:
        """Open what there is of it, to write."""
        ...

    def beside(self) -> AbstractContextManager[DatabaseCursor]:
        """Give a transaction for the tables beside the store, while it is open."""
        ...

    def finish(self, events: int) -> None:
        """Make it a store, all of it being there."""


def copy_target(url: str, tables: Sequence[str]) -> CopyTarget:
    """Return the copy to make, or to go on with, at a URL; `tables` must be empty at first.

    Raises:
        StoreFault: if anything else is there.
    """
    match parse_url(url):
        case Memory():
            raise StoreFault("a store in memory ends with its process: name a file or a database")
        case File(path):
            return _UnfinishedFile(path)
        case Database(server):
            return _UnfinishedDatabase(server, tables)


@frozen
class _UnfinishedFile:
    path: Path

    @property
    def _written(self) -> Path:
        return companion(self.path, _UNFINISHED)

    @contextmanager
    def open(self) -> Iterator[EventSourcedStore]:
        for path in (self.path, log_path(self.path)):
            if path.exists() or path.is_symlink():
                raise StoreFault(f"{path}: exists already, and a copy replaces nothing")
            refuse_stray(path)
        with closing(open_for_writing(f"sqlite:///{self._written}")) as store:
            yield store

    @contextmanager
    def beside(self) -> Iterator[DatabaseCursor]:
        with usable(self._written), closing(SideFile(log_path(self._written)).open()) as tables:
            tables.make(TABLES)
            with tables.transaction() as cursor:
                yield cursor

    def finish(self, events: int) -> None:
        del events
        with usable(self.path):
            # NOTE: the store comes last; a link replaces nothing that came to be there meanwhile.
            for name in (log_path, lambda path: path):
                written, path = name(self._written), name(self.path)
                path.hardlink_to(written)
                written.unlink()
            lock_path(self._written).unlink()
            sync_folder(self.path.parent)


@frozen
class _UnfinishedDatabase:
    url: str
    tables: Sequence[str]

    @contextmanager
    def open(self) -> Iterator[EventSourcedStore]:
        with closing(open_unfinished(self.url)) as store:
            with store.application.datastore.transaction(commit=True) as cursor:
                self._begin(cursor)
            yield store

    def _begin(self, cursor: DatabaseCursor) -> None:
        cursor.execute("SELECT position FROM log_head")
        if cursor.fetchone() is None:
            return
        for table in self.tables:
            cursor.execute(f"SELECT 1 FROM {table} LIMIT 1")  # noqa: S608 - names of ours
            if cursor.fetchone() is not None:
                raise StoreFault(f"the database holds a store ({table}): a copy needs an empty one")
        cursor.execute("DELETE FROM log_head")

    @contextmanager
    def beside(self) -> Iterator[DatabaseCursor]:
        with (
            closing(open_unfinished(self.url)) as store,
            store.application.datastore.transaction(commit=True) as cursor,
        ):
            yield cursor

    def finish(self, events: int) -> None:
        with self.beside() as cursor:
            cursor.execute("INSERT INTO log_head (position) VALUES (?)", (events,))
