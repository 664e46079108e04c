"""How the store's faults are raised: as the core's `StoreUnavailable`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from eventsourcing.persistence import ConnectionPoolClosedError, IntegrityError, PersistenceError

from domain.application.ports import StoreUnavailable


class StoreFault(Exception):  # noqa: N818 - it names what an operator must repair
    """A store that cannot be opened or trusted; the sentence says what to do."""


class CustodyLost(StoreUnavailable):
    """The store is not what this process opened, and is not used again before the next start."""


def root_cause(error: BaseException) -> BaseException:
    """Return what SQLite raised, below what the library made of it."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def sqlite_code(error: BaseException) -> int:
    """Return the extended code of an error of SQLite, 0 of any other."""
    return getattr(error, "sqlite_errorcode", 0)


def in_one_line(error: object) -> str:
    """Return what a database says of an error, which may be of several lines, in one."""
    return " ".join(str(error).split())


@contextmanager
def undone_by(undo: Callable[[], object]) -> Iterator[None]:
    """Undo what went before if what is done meanwhile fails."""
    try:
        yield
    except BaseException:
        undo()
        raise


@contextmanager
def usable(path: Path) -> Iterator[None]:
    """Raise a `StoreFault` for what SQLite says of a file that it cannot use."""
    try:
        yield
    except (OSError, sqlite3.Error, UnicodeDecodeError) as error:
        raise StoreFault(
            f"{path}: cannot be used as a TaskFlow store: {in_one_line(error)}"
        ) from error


class translated:  # noqa: N801 - a context manager; PERF: as a generator it takes 1 us, not 0.2
    """Raises the core's exceptions for those of the library and of SQLite.

    NOTE: the library wraps what SQLite raises inside a transaction, but not what BEGIN raises.
    """

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Translate what was raised."""
        match error:
            case None | IntegrityError():
                pass  # rows that contradict one another are no outage: they belong to one command
            case ConnectionPoolClosedError():
                raise StoreUnavailable("the store is closed") from error
            case PersistenceError() | sqlite3.Error():
                raise StoreUnavailable(in_one_line(error)) from error
            case UnicodeDecodeError():
                # NOTE: of a damaged file, what SQLite complains of may be no text.
                raise StoreUnavailable("the database is damaged") from error
            case _:
                pass
