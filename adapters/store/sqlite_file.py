"""A SQLite file of ours: its names, what stands beside it, and the marks that say what it is."""

from __future__ import annotations

import itertools
import os
import sqlite3
from pathlib import Path
from typing import Final, Literal, TypeAlias
from urllib.parse import quote

COMPANIONS: Final = ("-wal", "-shm", "-journal")
"""What SQLite puts beside a database: https://sqlite.org/tempfiles.html."""

Identity: TypeAlias = tuple[int, int]
"""`PRAGMA application_id` and `PRAGMA user_version`."""

_COUNTER: Final = itertools.count()


def companion(path: Path, suffix: str) -> Path:
    """Return a file that is kept beside a database."""
    return path.with_name(path.name + suffix)


def lock_path(database: Path) -> Path:
    """Return where the lock of a database file is."""
    return companion(database, ".lock")


def log_path(database: Path) -> Path:
    """Return where the log of refusals and of configurations of a database file is."""
    return companion(database, ".refusals")


def memory_name() -> str:
    """Return a name for a new database in memory, which all connections of one store share."""
    return f"file:taskflow-{os.getpid()}-{next(_COUNTER)}?mode=memory&cache=shared"


def file_name(path: Path, mode: Literal["ro", "rw", "immutable"]) -> str:
    """Return SQLite's name of a file: to be read, to be written too, or where it cannot change."""
    options = "immutable=1&mode=ro" if mode == "immutable" else f"mode={mode}"
    return f"file:{quote(str(path))}?{options}"


def is_read_only(name: str) -> bool:
    """Say whether SQLite's name of a file lets it only be read."""
    return name.endswith("mode=ro")


def connect(name: str, lock_seconds: float = 5.0) -> sqlite3.Connection:
    """Return a connection by SQLite's name of a file, whose transactions are begun by hand."""
    return sqlite3.connect(name, uri=True, isolation_level=None, timeout=lock_seconds)


def has_tables(connection: sqlite3.Connection) -> bool:
    """Say whether a database has any table."""
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None


def read_identity(connection: sqlite3.Connection) -> Identity:
    """Return what a database says that it is: (0, 0) if it says nothing."""
    application: int = connection.execute("PRAGMA application_id").fetchone()[0]
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return application, version


def write_identity(connection: sqlite3.Connection, identity: Identity) -> None:
    """Mark a database as ours."""
    application, version = identity
    connection.execute(f"PRAGMA application_id={application}")
    connection.execute(f"PRAGMA user_version={version}")


def holds_nothing(connection: sqlite3.Connection) -> bool:
    """Say whether a file holds no database yet: no table, and no mark of anybody's."""
    return not has_tables(connection) and read_identity(connection) == (0, 0)
