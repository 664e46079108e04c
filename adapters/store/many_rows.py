"""Statements on many rows at once.

PERF: each step of SQLite gives up the interpreter, and to win it back from another thread costs
more than most steps do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any, Final

from adapters.store.database import DatabaseCursor

MOST: Final = 16
"""How many rows a statement takes; each number of them is a statement that is compiled."""

_VALUES: Final = re.compile(r"VALUES (\([?,]+\))")
_CHANGES: Final = re.compile(r"^(INSERT|UPDATE)(?! OR)")


def execute_rows(c: DatabaseCursor, statement: str, rows: Sequence[Sequence[object]]) -> list[Any]:
    """Execute a statement with the `VALUES (?,…)` of one row on many, and return what it selects.

    Without rows nothing is executed. A change that fails is undone by the caller, in part or not.
    """
    found = list[Any]()
    for start in range(0, len(rows), MOST):
        some = rows[start : start + MOST]
        c.execute(for_rows(statement, len(some)), tuple(chain.from_iterable(some)))
        found += c.fetchall()
    return found


@cache
def for_rows(statement: str, count: int) -> str:
    """Return a statement with the `VALUES (?,…)` of one row as one on several.

    PERF: to undo itself a statement keeps a copy of each page that it changes, so it does not.
    """
    many = _VALUES.sub(lambda row: f"VALUES {','.join([row[1]] * count)}", statement)
    return _CHANGES.sub(r"\1 OR FAIL", many)
