"""What the commands depend on, which the composition root gives them.

Each raises `CommandError` for what the user must correct.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Protocol, TypeAlias, TypeVar

from attrs import frozen

from adapters.cli.check_report import CheckReport
from adapters.cli.command_options import ExplainOptions, PagesOptions, ServeOptions
from adapters.cli.explanation import Explanation
from adapters.cli.own_files import OwnFiles
from adapters.cli.proving import ProvingService
from domain.application.outcomes import Outcome
from domain.application.ports import Clock, Page, Progress
from domain.application.sweep import Swept
from domain.flow.ids import FlowId, Owner
from domain.flow.state import Flow
from domain.flow.status import FlowStatus
from domain.history.audit_log import AuditLog
from domain.history.configuration import ConfigurationLog
from domain.history.refused_requests import RefusalLog
from domain.history.selection import Selection
from domain.replay.findings import RebuiltRows

T = TypeVar("T")

OpenStore: TypeAlias = Callable[[Path | None, str | None], AbstractContextManager[T]]
"""Opens the store of a configuration, or of a database URL, which goes first."""


class CommandError(Exception):
    """What the user must correct: a sentence, or a line for each of several. It holds no secret."""


@frozen(kw_only=True)
class Reloaded:
    """What a gateway made of a reload: whether the new settings are in force, and a sentence."""

    accepted: bool
    pid: int
    sentence: str


@frozen(kw_only=True)
class StoreShard:
    """One of the stores of a configuration, and what proves its log."""

    name: str
    url: str
    proving: ProvingService


class ReadableFlows(Protocol):
    """A store opened to look at, of all owners."""

    def page(
        self,
        owner: Owner | None,
        *,
        limit: int,
        before: int | None,
        status: FlowStatus | None,
        show: Callable[[Flow], T],
    ) -> Page[T]:
        """Return at most `limit` flows, newest first, of one owner or of all."""

    def load(self, flow_id: FlowId, version: int | None = None) -> Flow | None:
        """Return a flow as it is, or as of a stream version."""

    def position_of(self, owner: Owner, flow_id: FlowId) -> int | None:
        """Return where an owner's flow stands in the order of creation."""


class WritableFlows(Protocol):
    """A store opened to be changed, by an operator."""

    def load(self, flow_id: FlowId, version: int | None = None) -> Flow | None:
        """Return a flow as it is, or as of a stream version."""

    def cancel(self, flow_id: FlowId) -> Outcome:
        """Cancel a flow of whichever owner, in the operator's name."""

    def give_up_children(self, flow_id: FlowId) -> Swept:
        """Give up all active children of a flow, in the operator's name."""

    def sweep(self, lost_after: int | None) -> Swept:
        """Give up children without a heartbeat for some seconds, in the operator's name."""

    def rebuild(self, progress: Progress) -> RebuiltRows:
        """Make all derived rows again from the events."""


class WriteEvents(Protocol):
    """Writes the selected events to a stream of bytes, and returns how many there are."""

    def __call__(
        self, audit_log: AuditLog, selection: Selection, sink: IO[bytes], *, progress: Progress
    ) -> int:
        """Write them."""


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


@frozen(kw_only=True)
class Exports:
    """The forms in which events are taken away."""

    ndjson: WriteEvents
    cloud_events: WriteCloudEvents


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


class StoreCopied(Protocol):
    """What was copied to another database; see `adapters.store.CopiedStore`."""

    @property
    def events(self) -> int:
        """Return how many events there are."""

    @property
    def resumed_after(self) -> int:
        """Return after which event a copy went on that was begun before."""

    @property
    def flows(self) -> int:
        """Return how many flows there are."""

    @property
    def differing(self) -> Mapping[str, int]:
        """Return how many derived rows of the source do not follow from its events, by table."""


class Restoring(Protocol):
    """A store that is about to be replaced by a copy, while nobody may write to it."""

    @property
    def path(self) -> Path:
        """Return where the store is."""

    @property
    def kept(self) -> Path | None:
        """Return what has become of the store that was there, once it is replaced."""

    def candidate(self) -> AbstractContextManager[AuditLog]:
        """Open the copy for an auditor."""

    def present(self) -> AbstractContextManager[AuditLog | None]:
        """Open the store that is there for an auditor; None if there is none."""

    def replace(self) -> None:
        """Put the copy in the place of what is there, which is kept under another name."""


class OpenRestore(Protocol):
    """Makes a checked copy of a file, to replace a store by it."""

    def __call__(
        self, config: Path | None, database: str | None, source: Path, *, progress: Progress
    ) -> AbstractContextManager[Restoring]:
        """Make it; it is gone on leaving, unless it has replaced the store."""


@frozen(kw_only=True)
class Dependencies:
    """All collaborators of the command line."""

    serve: Callable[[ServeOptions], int]
    reload: Callable[[Path | None, str | None], Reloaded]
    """Has the gateway of a configuration, or of a database URL, read its settings again."""
    clock: Clock
    check: Callable[[Path], CheckReport]
    explain: Callable[[ExplainOptions], Explanation]
    read_store: OpenStore[ReadableFlows]
    write_store: OpenStore[WritableFlows]
    migrate: Callable[[Path | None, str | None], tuple[int, int]]
    """Makes or upgrades the tables of a store; returns its versions before and after."""
    back_up: BackUp
    copy_store: Callable[[str, str, Progress], StoreCopied]
    """Copies the store at one URL to another."""
    restore_store: OpenRestore
    open_audit_log: OpenStore[AuditLog]
    serve_pages: Callable[[PagesOptions], int]
    exports: Exports
    proving: ProvingService
    open_refusals: OpenStore[RefusalLog]
    open_configurations: OpenStore[ConfigurationLog]
    own_files: Callable[[Path | None, str | None, Path | None], OwnFiles]
    """Finds the files that no output may be written to; the last argument is for checkpoints."""
    spare_own_files: Callable[[Path | None, str | None, Path | None, Path | None], None]
    """Refuses one of our files as that of the checkpoints, the third; the last is of a key."""
    shards: Callable[[Path], Sequence[StoreShard]] = lambda _: ()
    """Returns all stores of a configuration, the first of them first."""
    openapi: Callable[[], Mapping[str, object]]
    """Returns the OpenAPI document."""
