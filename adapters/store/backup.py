"""A copy of a store as one file, made beside its writer, and checked."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from adapters.store.faults import StoreFault, in_one_line, usable
from adapters.store.location import check_identity, refuse_stray, store_files
from adapters.store.opening import existing
from adapters.store.reading import open_to_read
from adapters.store.sqlite_file import connect, file_name
from domain.application.ports import Progress

_PAGES: Final = 500
_SIZE: Final = "SELECT count(*), coalesce(max(rowid), 0) FROM stored_events"


def back_up(url: str, target: Path, *, name: Path, progress: Progress) -> int:
    """Copy a store into an empty file that will get a name, and return how many events it has.

    Raises:
        StoreFault: if the store cannot be read, is damaged, or the file cannot be written.
    """
    path = existing(url)
    if name.resolve() in store_files(url).keys() - {path}:
        raise StoreFault(f"{name}: is the name of a file that the store keeps beside itself")
    refuse_stray(name)
    return copy_checked(path, target, progress)


def copy_checked(path: Path, target: Path, progress: Progress) -> int:
    """Copy a store into an empty file, check the copy, and return how many events it has.

    Raises:
        StoreFault: if the store cannot be read, is damaged, or the file cannot be written.
    """
    with usable(path):
        file = open_to_read(path)
    try:
        check_identity(path, file.name)
        with _copied(path), closing(connect(file.name)) as source:
            size = _copy(source, target, progress)
            file.check()
        with _copied(path), closing(connect(file_name(target, "ro"))) as copy:
            _check(copy, path, size)
    finally:
        file.release()
    return size[0]


def _copy(source: sqlite3.Connection, target: Path, progress: Progress) -> tuple[int, int]:
    """Copy all pages as of one moment, and return how many events there were then.

    NOTE: a copy begins again whenever somebody else writes, unless it is made within a
    transaction that reads; that keeps no writer waiting.
    """
    source.execute("BEGIN")
    size: tuple[int, int] = source.execute(_SIZE).fetchone()
    with closing(connect(file_name(target, "rw"))) as copy:
        copy.execute("PRAGMA journal_mode=OFF")
        source.backup(
            copy, pages=_PAGES, progress=lambda _, left, all_: progress(all_ - left, all_)
        )
        # NOTE: so that it is one file for every reader.
        copy.execute("PRAGMA journal_mode=DELETE")
    return size


def _check(copy: sqlite3.Connection, path: Path, size: tuple[int, int]) -> None:
    problems = [row[0] for row in copy.execute("PRAGMA integrity_check(1)")]
    if problems != ["ok"]:
        raise StoreFault(f"{path}: is damaged: {in_one_line(problems[0])}")
    journal = copy.execute("PRAGMA journal_mode").fetchone()[0]
    found = copy.execute(_SIZE).fetchone()
    if (journal, found) != ("delete", size):
        raise StoreFault(f"{path}: the copy has {found[0]} events of {size[0]}; nothing was kept")


@contextmanager
def _copied(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise StoreFault(f"{path}: cannot be copied: {error}") from error
