"""How a store is opened: by one process to write, by any number to read."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Final, assert_never

from adapters.store.application import FlowApplication
from adapters.store.faults import StoreFault, translated
from adapters.store.group_commit import Waiting
from adapters.store.lock import LockPatience, take_lock
from adapters.store.place import (
    File,
    Memory,
    check_identity,
    claim,
    file_name,
    is_blank,
    make_file,
    memory_name,
    parse_url,
    take_back,
)
from adapters.store.store import EventSourcedStore
from domain.ports import StoreUnavailable

_ENVIRONMENT: Final[Mapping[str, str]] = {
    "PERSISTENCE_MODULE": "adapters.store.sqlite",
    "ORIGINATOR_ID_TYPE": "text",
}
_LOCK_TIMEOUT: Final = 1
"""Seconds; those who wait for a database that somebody else has locked keep readers waiting too."""


def open_for_writing(
    url: str,
    *,
    lock_timeout: int = _LOCK_TIMEOUT,
    waiting: Waiting = nullcontext,
    patience: LockPatience | None = None,
) -> EventSourcedStore:
    """Open a store, made if it is missing, as the only process that writes to it.

    A database that somebody else has locked is waited for, `lock_timeout` seconds at most. Whoever
    waits for the disk does so within `waiting`. Another writer's end is waited for with `patience`.

    Raises:
        StoreFault: if it cannot be opened, is not ours, does not sync, or is in use.
    """
    place = parse_url(url)
    match place:
        case Memory():
            store = EventSourcedStore(_application(memory_name(), url=url))
        case File(path):
            store = _open_file(path, url, lock_timeout, patience)
        case _:
            assert_never(place)
    store.application.commits.waiting = waiting
    return store


def _open_file(
    path: Path, url: str, lock_timeout: int, patience: LockPatience | None
) -> EventSourcedStore:
    make_file(path)
    take_back(path)
    if not is_blank(path):
        check_identity(path)
    lock = take_lock(path, patience)
    try:
        if is_blank(path):
            claim(path)
        application = _application(file_name(path, "rw"), url=url, lock_timeout=lock_timeout)
        return EventSourcedStore(application, lock)
    except BaseException:
        lock.release()
        raise


def open_for_mending(url: str) -> EventSourcedStore:
    """Open an existing store for writing: one that is missing is not made.

    Raises:
        StoreFault: if it is missing, or for the reasons of `open_for_writing`.
    """
    _existing(url)
    return open_for_writing(url)


def open_for_reading(url: str) -> EventSourcedStore:
    """Open an existing store only to read it, safely beside the process that writes to it.

    Raises:
        StoreFault: if it is missing, cannot be read, or is not ours.
    """
    path = _existing(url)
    check_identity(path)
    name = file_name(path, "ro")
    return EventSourcedStore(_application(name, url=url, CREATE_TABLE="n"))


def _existing(url: str) -> Path:
    place = parse_url(url)
    if isinstance(place, Memory):
        raise StoreFault("a store in memory cannot be opened by another process")
    if not place.path.is_file():
        raise StoreFault(f"{place.path}: no such file")
    return place.path


def _application(
    name: str, *, url: str, lock_timeout: int = _LOCK_TIMEOUT, **env: str
) -> FlowApplication:
    where = {"SQLITE_DBNAME": name, "SQLITE_LOCK_TIMEOUT": str(lock_timeout)}
    try:
        with translated():
            application = FlowApplication({**_ENVIRONMENT, **where, **env})
            _check(application)
    except StoreUnavailable as error:
        raise StoreFault(f"{url}: {error}") from error
    return application


def _check(application: FlowApplication) -> None:
    try:
        application.datastore.check_promises()
    except BaseException:
        application.close()
        raise
