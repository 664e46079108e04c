"""Backups of a store, and stores that are put back from one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from adapters import cli
from adapters.cli.atomic_write import atomic_write
from adapters.composition.stores import DAMAGES, database_url, named_url
from adapters.store import (
    CopiedStore,
    Restore,
    StoreAuditLog,
    back_up,
    check_source,
    copy_store,
    restoring,
)
from domain.application.ports import Progress, StoreUnavailable
from domain.history.audit_log import AuditLog


def back_up_store(
    config: Path | None,
    database: str | None,
    target: Path,
    *,
    name: Path,
    progress: Progress,
) -> int:
    """Copy a store into an empty file that will get a name, and return how many events it has."""
    with _told():
        return back_up(database_url(config, database), target, name=name, progress=progress)


def copy_store_to(source: str, target: str, progress: Progress) -> CopiedStore:
    """Copy the store at one URL to another."""
    with _told():
        return copy_store(named_url(source, "--from"), named_url(target, "--to"), progress)


@contextmanager
def restore_store(
    config: Path | None, database: str | None, source: Path, *, progress: Progress
) -> Iterator[StoreRestore]:
    """Make a checked copy of a file beside a store that nobody may write to meanwhile."""
    with _told():
        path = check_source(database_url(config, database), source)
        path.parent.mkdir(parents=True, exist_ok=True)
        with (
            atomic_write(path, lambda _written, _path: None) as file,
            restoring(path, source, written=Path(file.name), progress=progress) as restore,
        ):
            yield StoreRestore(restore)


@frozen
class StoreRestore:
    """A store that is about to be replaced by a copy."""

    restore: Restore

    @property
    def path(self) -> Path:
        """Return where the store is."""
        return self.restore.path

    @property
    def kept(self) -> Path | None:
        """Return what has become of the store that was there."""
        return self.restore.kept

    @contextmanager
    def candidate(self) -> Iterator[AuditLog]:
        """Open the copy for an auditor."""
        with _told(), self.restore.candidate() as store:
            yield StoreAuditLog(store)

    @contextmanager
    def present(self) -> Iterator[AuditLog | None]:
        """Open the store that is there for an auditor; None if there is none."""
        with _told(), self.restore.present() as store:
            yield None if store is None else StoreAuditLog(store)

    def replace(self) -> None:
        """Put the copy in the place of what is there, which is kept under another name."""
        self.restore.replace()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (StoreUnavailable, *DAMAGES) as error:
        raise cli.CommandError(str(error)) from error
