"""Which files belong to a store: its database, and what stands beside it by the same name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from adapters.store.location import File, parse_url
from adapters.store.lock import lock_path
from adapters.store.refusals.file import log_path

_COMPANIONS: Final = ("-wal", "-shm", "-journal")
"""What SQLite puts beside a database: https://sqlite.org/tempfiles.html."""


def store_files(url: str) -> Mapping[Path, str]:
    """Return the files of a store, whether they are there or not, and what each of them is.

    Raises:
        StoreFault: if the URL is not one that we serve.
    """
    location = parse_url(url)
    if not isinstance(location, File) or not location.path.name:
        return {}
    store, refusals = location.path, log_path(location.path)
    return {
        store: "the store",
        **{_beside(store, suffix): "a file of the store" for suffix in _COMPANIONS},
        lock_path(store): "the lock of the store",
        refusals: "the refusals of the store",
        **{_beside(refusals, suffix): "a file of the refusals" for suffix in _COMPANIONS},
    }


def _beside(database: Path, suffix: str) -> Path:
    return database.with_name(database.name + suffix)
