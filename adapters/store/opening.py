"""How a store is opened: by one process to write, by any number to read."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeAlias, assert_never

from adapters.store.application import FlowApplication
from adapters.store.custody import Custody, several_names
from adapters.store.database import StoreDatabase
from adapters.store.faults import StoreFault, in_one_line, translated, undone_by, usable
from adapters.store.location import (
    Database,
    File,
    Memory,
    check_identity,
    drop_kept_name,
    file_of,
    is_blank,
    make_file,
    parse_url,
    recover_journal,
    stamp,
)
from adapters.store.lock import LockPatience, take_lock
from adapters.store.reading import check_log, left_alone, open_to_read
from adapters.store.sqlite import Datastore
from adapters.store.sqlite_file import file_name, memory_name
from adapters.store.store import EventSourcedStore
from adapters.store.upgrade import upgrade
from adapters.store.views import are_rows_kept
from domain.application.ports import Progress, StoreUnavailable

_LOCK_TIMEOUT: Final = 1
"""Seconds; those who wait for a database that somebody else has locked keep readers waiting too."""


_OpenNamed: TypeAlias = Callable[[str], FlowApplication]


def _ignore(_: str) -> None:
    """Report nothing: the caller sees the exception, or the answer from the events."""


def open_for_writing(  # noqa: PLR0913 - a keyword for each seam
    url: str,
    *,
    lock_timeout: int = _LOCK_TIMEOUT,
    on_breach: Callable[[str], None] = _ignore,
    on_stale_cache: Callable[[str], None] = _ignore,
    patience: LockPatience | None = None,
    on_upgrade: Progress = lambda _done, _flows: None,
) -> EventSourcedStore:
    """Open a store, made if it is missing, as the only process that writes to it.

    A database that somebody else has locked is waited for, `lock_timeout` seconds at most.
    `on_breach` is called once if the store turns out to
    be moved, replaced or damaged, `on_stale_cache` once a flow whose snapshot is not used.
    Another writer's end is waited for with `patience`. `on_upgrade` is called while a store of
    an older release is brought to the present format.

    Raises:
        StoreFault: if it cannot be opened, is not ours, does not sync, or is in use.
    """
    open_named: _OpenNamed = partial(
        _application,
        url,
        lock_timeout=lock_timeout,
        on_stale_cache=on_stale_cache,
    )
    location = parse_url(url)
    match location:
        case Memory():
            return _opened(open_named(memory_name()), on_upgrade)
        case File(path):
            return _open_file(path, open_named, on_breach, patience, on_upgrade)
        case Database(server):
            return open_database(server, on_stale_cache, patience=patience)
        case _:
            assert_never(location)


def _open_file(
    path: Path,
    open_named: _OpenNamed,
    on_breach: Callable[[str], None],
    patience: LockPatience | None,
    on_upgrade: Progress,
) -> EventSourcedStore:
    make_file(path)
    drop_kept_name(path)
    if (names := path.stat().st_nlink) > 1:
        raise StoreFault(f"{several_names(path, names)}; remove all but one, or copy the file")
    recover_journal(path)
    with left_alone(path):
        if not is_blank(path):
            check_identity(path)
    custody = Custody(path, take_lock(path, patience), on_breach)
    with undone_by(custody.release):
        with usable(path):
            check_log(path, file_name(path, "ro"))
        if is_blank(path):
            stamp(path)
        return _opened(open_named(file_name(path, "rw")), on_upgrade, custody)


def _opened(
    application: FlowApplication, on_upgrade: Progress, custody: Custody | None = None
) -> EventSourcedStore:
    with undone_by(application.close):
        if custody is not None:
            sqlite_datastore(application).keep(custody)
        with translated():
            upgrade(application, on_upgrade)
    return EventSourcedStore(application, custody)


def open_existing(url: str, on_upgrade: Progress = lambda _done, _flows: None) -> EventSourcedStore:
    """Open an existing store for writing: one that is missing is not made.

    Raises:
        StoreFault: if it is missing, or for the reasons of `open_for_writing`.
    """
    location = parse_url(url)
    if isinstance(location, Database):
        return open_database(location.url, lasting=True)
    existing(url)
    return open_for_writing(url, on_upgrade=on_upgrade)


def open_for_reading(url: str) -> EventSourcedStore:
    """Open an existing store only to read it, safely beside the process that writes to it.

    Raises:
        StoreFault: if it is missing, cannot be read, or is not ours.
    """
    location = parse_url(url)
    if isinstance(location, Database):
        return open_database(location.url, lasting=True, reading=True)
    path = existing(url)
    with usable(path):
        file = open_to_read(path)
    with undone_by(file.release):
        check_identity(path, file.name)
        application = _application(url, file.name, CREATE_TABLE="n")
        sqlite_datastore(application).check_read = file.check
        return EventSourcedStore(application, file)


def open_database(
    url: str,
    on_stale_cache: Callable[[str], None] = _ignore,
    **how: Any,  # noqa: ANN401 - as `postgres.opening.connected` takes them
) -> EventSourcedStore:
    """Open a database on a server, beside whoever else reads and writes there.

    Raises:
        StoreFault: if it has no store of this version, cannot be used, or psycopg is missing.
    """
    application = _on_server(url, on_stale_cache, **how)
    with undone_by(application.close):
        _check_rows(application.datastore)
    store: EventSourcedStore = postgres().PostgresStore(application)
    return store


def _check_rows(database: StoreDatabase) -> None:
    with translated(), database.reading() as cursor:
        if are_rows_kept(cursor):
            return
    raise StoreFault("the database has rows of another release: run taskflow store migrate")


def _on_server(
    url: str,
    on_stale_cache: Callable[[str], None] = _ignore,
    **how: Any,  # noqa: ANN401 - as above
) -> FlowApplication:
    datastore, make = postgres().connected(url, **how)
    with undone_by(datastore.close):
        return FlowApplication({}, make, on_stale_cache=on_stale_cache)


def migrate(url: str, progress: Progress = lambda _done, _flows: None) -> tuple[int, int]:
    """Make or upgrade the tables of a store, and return its versions before and after.

    Raises:
        StoreFault: if it cannot be done, or the store is not on PostgreSQL.
    """
    location = parse_url(url)
    if not isinstance(location, Database):
        raise StoreFault("a store of SQLite is made, and upgraded, when a gateway opens it")
    before, after = postgres().migrate_schema(location.url)
    application = _on_server(location.url, lasting=True)
    try:
        with translated():
            upgrade(application, progress)
    except StoreUnavailable as error:
        raise StoreFault(f"the database cannot be migrated: {in_one_line(error)}") from error
    finally:
        application.close()
    return before, after


def open_unfinished(url: str) -> EventSourcedStore:
    """Open a database on a server, its tables made if need be, to copy a store into it.

    Raises:
        StoreFault: if it cannot be used.
    """
    postgres().migrate_schema(url)
    application = _on_server(url, lasting=True, unfinished=True)
    with undone_by(application.close), translated():
        upgrade(application, lambda _done, _flows: None)
    store: EventSourcedStore = postgres().PostgresStore(application)
    return store


def postgres() -> Any:  # noqa: ANN401 - a module
    """Return the module of the stores on PostgreSQL, if psycopg is installed."""
    try:
        return import_module("adapters.store.postgres.opening")
    except ImportError as error:
        raise StoreFault("PostgreSQL needs psycopg: install the extra `postgres`") from error


def sqlite_datastore(application: FlowApplication) -> Datastore:
    """Return the datastore of an application over SQLite."""
    datastore = application.datastore
    if not isinstance(datastore, Datastore):
        raise TypeError("the application is not over SQLite")
    return datastore


def existing(url: str) -> Path:
    """Return where an existing store is.

    Raises:
        StoreFault: if there is none that another process could open.
    """
    path = file_of(
        url,
        "a store in memory cannot be opened by another process",
        "a store on PostgreSQL is no file: it is copied by pg_dump",
    )
    if not path.is_file():
        raise StoreFault(f"{path}: no such file")
    return path


def _application(
    url: str,
    name: str,
    *,
    lock_timeout: int = _LOCK_TIMEOUT,
    on_stale_cache: Callable[[str], None] = _ignore,
    **env: str,
) -> FlowApplication:
    where = {"SQLITE_DBNAME": name, "SQLITE_LOCK_TIMEOUT": str(lock_timeout)}
    try:
        with translated():
            application = FlowApplication({**where, **env}, on_stale_cache=on_stale_cache)
            with undone_by(application.close):
                sqlite_datastore(application).check_promises()
    except StoreUnavailable as error:
        raise StoreFault(f"{url}: {error}") from error
    return application
