"""Damage done to a store behind its back, as by somebody with a database tool."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def edit(path: Path, *statements: str) -> None:
    """Change a store by some statements."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def damage(path: Path, statement: str, *params: object) -> None:
    """Change the rows of a store in a way that no gateway does."""
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(statement, params).rowcount == 1


def spoil_event(path: Path, flow: str, version: int) -> None:
    """Cut off the last byte of a stored event."""
    damage(
        path,
        "UPDATE stored_events SET state = substr(state, 1, length(state) - 1)"
        " WHERE originator_id = ? AND originator_version = ?",
        flow,
        version,
    )
