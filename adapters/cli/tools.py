"""What the command line is given: all that takes more than words and tables.

The composition root fills `Tools`. A tool raises `CommandError` for whatever the user must mend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Protocol, TypeAlias, TypeVar

from attrs import frozen

from adapters.cli.check_report import CheckReport
from adapters.cli.own_files import OwnFiles
from adapters.cli.proving import Proving
from domain.application.outcomes import Outcome
from domain.application.ports import Clock, Page, Progress
from domain.application.recorded_events import RecordedEvent
from domain.application.sweep import Swept
from domain.flow.ids import FlowId, Owner
from domain.flow.state import Flow
from domain.flow.status import FlowStatus
from domain.history.audit_log import AuditLog
from domain.history.configuration import ConfigurationLog
from domain.history.refused_requests import RefusalLog
from domain.history.selection import Selection

T = TypeVar("T")


class CommandError(Exception):
    """What the user must mend: a sentence, or a line for each of several. It holds no secret."""


class ServeGateway(Protocol):
    """Serves until it is told to stop, and returns an exit code."""

    def __call__(  # noqa: PLR0913 - a keyword for each option
        self,
        config: Path,
        *,
        database: str | None,
        host: str | None,
        port: int | None,
        wait: int,
        json: bool,
    ) -> int:
        """Serve a configuration; what is not None goes before what it says.

        A store that another process writes to is waited for, `wait` seconds at most.
        """
        ...


@frozen(kw_only=True)
class PagesWanted:
    """How the auditor's pages are to be served; what is not None goes before the configuration."""

    config: Path | None
    database: str | None
    host: str | None
    port: int | None
    checkpoints: Path | None
    public_keys: tuple[str, ...]
    json: bool


ServePages: TypeAlias = Callable[[PagesWanted], int]
"""Serves the auditor's pages until it is told to stop, and returns an exit code."""


@frozen(kw_only=True)
class Reloaded:
    """What a gateway made of a reload: whether the new settings are in force, and a sentence."""

    accepted: bool
    pid: int
    sentence: str


ReloadGateway: TypeAlias = Callable[[Path | None, str | None], Reloaded]
"""Has the gateway of a configuration, or of a database URL, read its settings again."""


class ReadableFlows(Protocol):
    """A store opened to look at, of all owners."""

    def page(
        self,
        owner: Owner | None,
        *,
        limit: int,
        before: int | None,
        status: FlowStatus | None,
        show: Callable[[Flow], T | None],
    ) -> Page[T]:
        """Return at most `limit` flows, newest first, of one owner or of all."""
        ...

    def load(self, flow_id: FlowId, version: int | None = None) -> Flow | None:
        """Return a flow as it is, or as of a stream version."""
        ...

    def history(self, flow_id: FlowId) -> Iterable[RecordedEvent]:
        """Return all that happened to a flow, in order."""
        ...


class Rebuilt(Protocol):
    """What making the derived rows again came to."""

    @property
    def flows(self) -> int:
        """Return how many flows the store has."""
        ...

    @property
    def changed(self) -> Mapping[str, int]:
        """Return, for each table, how many rows were wrong, missing or too many."""
        ...


class WritableFlows(Protocol):
    """A store opened to be changed, by an operator."""

    def load(self, flow_id: FlowId, version: int | None = None) -> Flow | None:
        """Return a flow as it is, or as of a stream version."""
        ...

    def cancel(self, flow_id: FlowId) -> Outcome:
        """Cancel a flow of whichever owner, in the operator's name."""
        ...

    def give_up_children(self, flow_id: FlowId) -> Swept:
        """Give up all active children of a flow, in the operator's name."""
        ...

    def sweep(self, lost_after: int | None) -> Swept:
        """Give up children that were silent for some seconds, in the operator's name."""
        ...

    def rebuild(self, progress: Progress) -> Rebuilt:
        """Make all derived rows again from the events."""
        ...


OpenToRead: TypeAlias = Callable[[Path | None, str | None], AbstractContextManager[ReadableFlows]]
"""Opens the store of a configuration file, or of a database URL, which goes first."""

OpenToWrite: TypeAlias = Callable[[Path | None, str | None], AbstractContextManager[WritableFlows]]
"""Opens the store of a configuration file, or of a database URL, which goes first."""

OpenEvidence: TypeAlias = Callable[[Path | None, str | None], AbstractContextManager[AuditLog]]
"""Opens the store of a configuration file, or of a database URL, for an auditor."""


class WriteEvents(Protocol):
    """Writes the events that are meant to a stream of bytes, and returns how many there are."""

    def __call__(
        self, audit_log: AuditLog, selection: Selection, sink: IO[bytes], *, progress: Progress
    ) -> int:
        """Write them."""
        ...


class WriteCloudEvents(Protocol):
    """Writes events as CloudEvents that come from some source."""

    def __call__(
        self,
        audit_log: AuditLog,
        selection: Selection,
        sink: IO[bytes],
        *,
        source: str,
        progress: Progress,
    ) -> int:
        """Write them."""
        ...


@frozen(kw_only=True)
class Exports:
    """The forms in which events are taken away."""

    ndjson: WriteEvents
    cloud_events: WriteCloudEvents


OpenRefusals: TypeAlias = Callable[[Path | None, str | None], AbstractContextManager[RefusalLog]]
"""Opens what the callers of a store's gateway were refused, by its configuration or its URL."""

OpenConfigurations: TypeAlias = Callable[
    [Path | None, str | None], AbstractContextManager[ConfigurationLog]
]
"""Opens the changes of a gateway's configuration, by that or by the URL of its store."""

FindOwnFiles: TypeAlias = Callable[[Path | None, str | None, Path | None], OwnFiles]
"""Finds the files that no output may be written to: those of a configuration, its store or the one
of a database URL, and its checkpoints or those of a file."""

SpareOwnFiles: TypeAlias = Callable[[Path | None, str | None, Path | None, Path | None], None]
"""Refuses to take one of our files for that of the checkpoints: by a configuration, a database URL,
a file and that of a key."""


class BackUp(Protocol):
    """Copies a store into an empty file, and returns how many events it has."""

    def __call__(
        self,
        config: Path | None,
        database: str | None,
        target: Path,
        *,
        name: Path,
        progress: Progress,
    ) -> int:
        """Copy it, and check the copy, which will get a name."""
        ...


class Restoring(Protocol):
    """A store that is about to be replaced by a copy, while nobody may write to it."""

    @property
    def path(self) -> Path:
        """Return where the store is."""
        ...

    @property
    def kept(self) -> Path | None:
        """Return what has become of the store that was there, once it is replaced."""
        ...

    def candidate(self) -> AbstractContextManager[AuditLog]:
        """Open the copy for an auditor."""
        ...

    def present(self) -> AbstractContextManager[AuditLog | None]:
        """Open the store that is there for an auditor; None if there is none."""
        ...

    def replace(self) -> None:
        """Put the copy in the place of what is there, which is kept under another name."""
        ...


class OpenRestore(Protocol):
    """Makes a checked copy of a file, to replace a store by it."""

    def __call__(
        self, config: Path | None, database: str | None, source: Path, *, progress: Progress
    ) -> AbstractContextManager[Restoring]:
        """Make it; it is gone on leaving, unless it has replaced the store."""
        ...


@frozen(kw_only=True)
class Tools:
    """All collaborators of the command line."""

    serve: ServeGateway
    reload: ReloadGateway
    clock: Clock
    check: Callable[[Path], CheckReport]
    read_store: OpenToRead
    write_store: OpenToWrite
    back_up: BackUp
    restore_store: OpenRestore
    open_evidence: OpenEvidence
    serve_pages: ServePages
    exports: Exports
    proving: Proving
    open_refusals: OpenRefusals
    open_configurations: OpenConfigurations
    own_files: FindOwnFiles
    spare_own_files: SpareOwnFiles
