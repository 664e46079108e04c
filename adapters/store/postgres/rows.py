"""Rows as `sqlite3.PostgresRow` gives them, and statements as SQLite has them, for PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import count
from typing import Any, ClassVar, Final, SupportsIndex

from psycopg import Cursor, RawCursor
from psycopg.rows import no_result

from adapters.store import schema, tasks

_PLACEHOLDER: Final = re.compile(r"\?(\d*)")
_POSITION: Final = re.compile(r"\browid\b")


class PostgresRow(tuple[Any, ...]):
    """The values of a row, by their place or by their column's name."""

    __slots__ = ()
    columns: ClassVar[dict[str, int]] = {}

    def __getitem__(self, key: SupportsIndex | slice | str) -> Any:  # noqa: ANN401 - a value
        """Return a value."""
        return tuple.__getitem__(self, self.columns[key] if isinstance(key, str) else key)

    def keys(self) -> Iterable[str]:
        """Return the names of the columns, so that a row can be passed as keywords."""
        return self.columns


def row_factory(cursor: Cursor[Any]) -> Any:  # noqa: ANN401 - a maker of rows
    """Return what makes a row of the values that a statement returns."""
    result = cursor.pgresult
    if result is None or result.fname(0) is None:  # of a COPY the columns have no names
        return no_result
    # PERF: `description` makes an object of each column, which costs a read a seventh.
    return _row_class(tuple(map(result.fname, range(result.nfields))))


@cache
def _row_class(names: tuple[bytes, ...]) -> type[PostgresRow]:
    columns = {name.decode(): place for place, name in enumerate(names)}
    return type("PostgresRow", (PostgresRow,), {"__slots__": (), "columns": columns})


DIFFERENT: Final[Mapping[str, str]] = {
    schema.HAS_FORMAT: "SELECT 1",
    schema.TABLE_COLUMNS: (
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = current_schema()"
    ),
    schema.PUT_VIEW: (
        "INSERT INTO flow_views SELECT position, $1, $2, $3::bigint, $4::bigint, $5::bytea"
        " FROM flow_index WHERE flow_id = $6 ON CONFLICT (position) DO UPDATE"
        " SET flow_id = excluded.flow_id, owner = excluded.owner, version = excluded.version,"
        " checksum = excluded.checksum, json = excluded.json"
    ),
    schema.PUT_NAME: (
        "INSERT INTO flow_names VALUES ($1, $2, $3) ON CONFLICT (owner, correlation_key)"
        " DO UPDATE SET flow_id = excluded.flow_id"
    ),
    schema.PUT_FILTERS: (
        "INSERT INTO flow_filters VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (position)"
        " DO UPDATE SET flow_id = excluded.flow_id, owner = excluded.owner,"
        " status = excluded.status, controller_id = excluded.controller_id,"
        " current_step = excluded.current_step, correlation_key = excluded.correlation_key,"
        " updated_at = excluded.updated_at"
    ),
    tasks.INSERT: (
        "INSERT INTO flow_tasks VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (flow_id, number)"
        " DO UPDATE SET task_id = excluded.task_id, run_id = excluded.run_id,"
        " stale_since = excluded.stale_since, checksum = excluded.checksum, state = excluded.state"
    ),
}
"""Statements that PostgreSQL has in other words."""


class PostgresCursor(RawCursor[PostgresRow]):
    """A cursor that takes the statements of the store as they are written for SQLite."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:  # noqa: ANN401 - as psycopg's
        """Execute a statement with `?` or `?1` for its values."""
        return super().execute(to_postgres(query), params, **options)

    def executemany(self, query: Any, params_seq: Any, *, returning: bool = False) -> None:  # noqa: ANN401 - as psycopg's
        """Execute a statement once for each of several values."""
        super().executemany(to_postgres(query), params_seq, returning=returning)


@cache
def to_postgres(query: str) -> str:
    """Return a statement of SQLite's as PostgreSQL has it: its placeholders, and the position."""
    if query in DIFFERENT:
        return DIFFERENT[query]
    numbers = count(1)
    numbered = _PLACEHOLDER.sub(lambda found: f"${found[1] or next(numbers)}", query)
    return _POSITION.sub("notification_id", numbered)
