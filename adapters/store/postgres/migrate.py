"""The schema of a database: made and upgraded by a command, checked by everybody else."""

from __future__ import annotations

import re
from typing import Any, Final
from uuid import UUID

import psycopg
from attrs import frozen
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Identifier, Literal

from adapters.store.faults import StoreFault, in_one_line
from adapters.store.postgres.append_batch import APPEND_BATCH
from adapters.store.postgres.link import CLIENT_ENCODING, without_pooler
from adapters.store.postgres.load_batch import LOAD_BATCH
from adapters.store.postgres.schema import MIGRATIONS, VERSION

COMMAND: Final = "taskflow store migrate"
_NO_MIGRATION: Final = "behind a pooler nothing is migrated: name the server itself"
_OLDEST_SERVER: Final = 14_00_00
_CONNECT_SECONDS: Final = 5
_LONGEST_WAIT: Final = 10_000

_ROLE: Final = {
    "default_transaction_isolation": "read committed",
    "lock_timeout": "1500",
    "statement_timeout": "5000",
    "idle_in_transaction_session_timeout": "10000",
    "client_connection_check_interval": "200",
    # NOTE: without these two bytes are stored as other bytes, and NULL in an array as a word.
    "standard_conforming_strings": "on",
    "array_nulls": "on",
}
"""What the role of a gateway must have in its database, in milliseconds where it is a time."""

_TABLES: Final = [
    table
    for table in re.findall(r"CREATE TABLE (\w+)", "".join(MIGRATIONS))
    if table not in {"store_identity", "view_format"}
]
_NOT_WRITABLE: Final = (
    "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
    " WHERE nspname = current_schema() AND relname = ANY(%s)"
    " AND NOT has_table_privilege(pg_class.oid, 'INSERT, UPDATE') ORDER BY relname"
)
_SCHEMA_OF_STORE: Final = (
    "SELECT nspname, current_schema() FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
    " WHERE pg_class.oid = to_regclass('store_identity')"
)


@frozen
class StoreIdentity:
    """Which store a database holds, and in which of its schemas."""

    store_id: UUID
    schema: str


def migrate_schema(url: str) -> tuple[int, int]:
    """Make or upgrade the schema of a database, in one transaction; what is there stays.

    Returns its versions before and after; 0 is of a database that held no store. The role that it
    connects as gets the settings that a gateway needs, in this database.

    Raises:
        StoreFault: if the schema is newer than this program, or the database cannot be used.
    """
    if without_pooler(url) != url:
        raise StoreFault(_NO_MIGRATION)
    try:
        with psycopg.connect(
            url,
            connect_timeout=_CONNECT_SECONDS,
            row_factory=tuple_row,
            client_encoding=CLIENT_ENCODING,
        ) as c:
            return _migrate(c)
    except psycopg.Error as error:
        raise StoreFault(f"the database cannot be migrated: {in_one_line(error)}") from error


def _migrate(c: psycopg.Connection[Any]) -> tuple[int, int]:
    c.execute("SET LOCAL statement_timeout = 0")
    c.execute("SET LOCAL lock_timeout = '60s'")
    c.execute("SELECT pg_advisory_xact_lock(4712, hashtext(current_schema()))")
    if _is_pooled(c):
        raise StoreFault(_NO_MIGRATION)
    _check_server(c)
    before = _schema_version(c)
    if before > VERSION:
        raise _newer(before)
    for number, statements in enumerate(MIGRATIONS[before:], before + 1):
        c.execute(statements)
        c.execute("UPDATE store_identity SET schema_version = %s", (number,))
    c.execute(APPEND_BATCH + LOAD_BATCH)
    for name, value in _ROLE.items():
        if _role_fault(name, _settings(c)[name]):
            role = SQL("ALTER ROLE CURRENT_USER IN DATABASE {} SET {} = {}")
            c.execute(role.format(Identifier(c.info.dbname), Identifier(name), Literal(value)))
    return before, VERSION


def check_to_write(c: psycopg.Connection[Any]) -> StoreIdentity:
    """Check that a database has the schema, and its role the settings, that a gateway needs.

    Raises:
        StoreFault: if not; the sentence has the command to run.
    """
    _check_server(c)
    identity = check_to_read(c)
    for name, value in _settings(c).items():
        if fault := _role_fault(name, value):
            raise StoreFault(f"the role {c.info.user!r} {fault}: run {COMMAND} as that role")
    if fault := _write_fault(c):
        raise StoreFault(f"the role {c.info.user!r} {fault}")
    return identity


def check_to_read(c: psycopg.Connection[Any]) -> StoreIdentity:
    """Check that a database, which may be a standby, has the schema that is read.

    Raises:
        StoreFault: if not; the sentence has the command to run.
    """
    identity = _identity(c)
    if _one(c, "SELECT position FROM log_head") is None:
        raise StoreFault("the database holds a half-made copy: run taskflow store copy again")
    return identity


def check_to_copy(c: psycopg.Connection[Any]) -> StoreIdentity:
    """Check a database that a store is copied to, which has no head before all is there.

    Raises:
        StoreFault: if it cannot be used.
    """
    _check_server(c)
    return _identity(c)


def _identity(c: psycopg.Connection[Any]) -> StoreIdentity:
    _refuse_pooler(c)
    version = _schema_version(c)
    if version > VERSION:
        raise _newer(version)
    if version < VERSION:
        found = "holds no store" if version == 0 else f"holds a store of version {version}"
        raise StoreFault(f"the database {found}: run {COMMAND}")
    found = _one(c, "SELECT store_id, current_schema() FROM store_identity")
    return StoreIdentity(*found)


def _refuse_pooler(c: psycopg.Connection[Any]) -> None:
    # NOTE: a statement that was prepared for one gateway would be carried out for another one.
    if c.prepare_threshold is not None and _is_pooled(c):
        raise StoreFault("a pooler stands before the server: add ?pooler=transaction to the URL")


def _is_pooled(c: psycopg.Connection[Any]) -> bool:
    """Say whether who accepted the connection is not the process that answers."""
    return bool(_one(c, "SELECT pg_backend_pid()")[0] != c.info.backend_pid)


def _check_server(c: psycopg.Connection[Any]) -> None:
    if c.info.server_version < _OLDEST_SERVER:
        raise StoreFault("the server is older than PostgreSQL 14")
    standby, encoding, fsync, sync = _one(
        c,
        "SELECT pg_is_in_recovery(), current_setting('server_encoding'),"
        " current_setting('fsync'), current_setting('synchronous_commit')",
    )
    if standby:
        raise StoreFault("the server is a standby, which takes no writes")
    if encoding != "UTF8":
        raise StoreFault(f"the database is in {encoding}: make one in UTF8")
    if fsync != "on" or sync == "off":
        found = f"fsync={fsync}, synchronous_commit={sync}"
        raise StoreFault(f"a write would not survive a power cut: {found}")


def _schema_version(c: psycopg.Connection[Any]) -> int:
    found = _one(c, _SCHEMA_OF_STORE)
    if found is None:
        return 0
    schema, first = found
    if schema != first:
        raise StoreFault(
            f"the store is in the schema {schema}, and the search_path of {c.info.user!r} begins"
            f" with {first}: set it to {schema}"
        )
    found = _one(c, "SELECT schema_version FROM store_identity")
    if found is None:
        raise StoreFault("the database has a store's tables without their rows: restore it whole")
    return int(found[0])


def _settings(c: psycopg.Connection[Any]) -> dict[str, str]:
    names = list(_ROLE)
    cursor = c.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", (names,))
    return dict(cursor.fetchall())


def _role_fault(name: str, value: str) -> str | None:
    if not _ROLE[name].isdigit():
        return None if value == _ROLE[name] else f"has {name} {value!r}, not {_ROLE[name]!r}"
    # NOTE: whoever waits on the server longer than its client does keeps a place in the queue.
    longest = _LONGEST_WAIT if name != "idle_in_transaction_session_timeout" else 60_000
    if 0 < int(value) <= longest:
        return None
    return f"has {name} {value} ms, not one from 1 to {longest}"


def _write_fault(c: psycopg.Connection[Any]) -> str | None:
    """Say why a role cannot write, so that each change would be answered 503."""
    if _one(c, "SELECT current_setting('transaction_read_only')")[0] == "on":
        return "may only read: default_transaction_read_only is on"
    table = _one(c, _NOT_WRITABLE, [_TABLES])
    return None if table is None else f"may not write to the table {table[0]}"


def _newer(version: int) -> StoreFault:
    found = f"holds a store of version {version}, this program knows version {VERSION}"
    return StoreFault(f"the database {found}: use a newer release")


def _one(c: psycopg.Connection[Any], query: Any, params: Any = ()) -> Any:  # noqa: ANN401 - a row of values
    return c.execute(query, params).fetchone()
