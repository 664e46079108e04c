"""Where the refusals and the configurations of a store are kept: a file beside it, or with it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from adapters.store.database import DatabaseCursor
from adapters.store.faults import StoreFault
from adapters.store.location import Database, File, Memory, parse_url
from adapters.store.refusals.file import SideFile
from adapters.store.sqlite_file import log_path


class SideTables(Protocol):
    """An open connection to the tables of refusals and configurations."""

    def transaction(self) -> AbstractContextManager[DatabaseCursor]:
        """Give a cursor within a transaction, beside which nobody else writes to them."""
        ...

    def make(self, tables: Sequence[str], /) -> None:
        """Make tables that are missing, where they are made by who writes to them."""

    def close(self) -> None:
        """Close it."""


class SidePlace(Protocol):
    """Where those tables are."""

    @property
    def name(self) -> str | Path:
        """Return what it is called in sentences."""
        ...

    def open(self) -> SideTables:
        """Open them to write; they are made where they are missing."""
        ...

    def select(self, table: str, query: str, *params: object) -> Sequence[Any]:
        """Return rows of a table, read beside its writer; none if it is not there yet."""
        ...


def side_place(url: str) -> SidePlace | None:
    """Return where the refusals of a store are kept; None of a store in memory.

    Raises:
        StoreFault: if the URL is not one that we serve, or psycopg is missing.
    """
    match parse_url(url):
        case Memory():
            return None
        case File(path):
            return SideFile(log_path(path))
        case Database(server):
            try:
                module = import_module("adapters.store.postgres.side_tables")
            except ImportError as error:
                raise StoreFault(
                    "PostgreSQL needs psycopg: install the extra `postgres`"
                ) from error
            place: SidePlace = module.SideDatabase(server)
            return place


def existing_side_place(url: str, in_memory: str) -> SidePlace:
    """Return where the refusals of a store are kept; raises StoreFault for a store in memory."""
    place = side_place(url)
    if place is None:
        raise StoreFault(in_memory)
    return place
