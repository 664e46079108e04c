"""The command line over real stores, with a clock that counts seconds and ids that are counted."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, NoReturn

from attrs import frozen

from adapters.audit.audit_service import AuditService, Configured
from adapters.audit.export.cloud_events import write_cloud_events
from adapters.audit.export.ndjson import write_ndjson
from adapters.cli import CheckReport, CommandError, Dependencies, Exports, run
from adapters.cli.own_files import OwnFiles
from adapters.composition.copies import back_up_store, copy_store_to, restore_store
from adapters.composition.own_files import own_files, spare_own_files
from adapters.composition.stores import migrate_store
from adapters.store import (
    EventSourcedStore,
    StoreAuditLog,
    StoreFault,
    open_for_reading,
    open_for_writing,
    read_configurations,
    read_refusals,
    rebuild,
)
from adapters.webhooks.openapi.document import openapi_document
from domain.application.operators import Operators
from domain.application.outcomes import Accepted, Outcome
from domain.application.recorded_events import Actor, ActorKind, CommandMetadata
from domain.application.sessions import TaskFlows
from domain.application.sweep import Swept
from domain.flow.commands import CancelFlow, Command
from domain.flow.ids import FlowId, KeyId, Owner, RequestId
from domain.flow.state import Flow
from domain.history.audit_log import AuditLog
from domain.history.configuration import ConfigurationLog
from domain.history.refused_requests import RefusalLog
from domain.replay.findings import RebuiltRows
from domain.tlog.checkpoints import Unprovable

NOON: Final = 1_795_435_200_000
"""2026-11-23T12:00:00Z"""

DAY: Final = 86_400_000
"""Milliseconds; commands are run a day after noon."""

OWNER: Final = Owner("agent:main:main")
STRANGER: Final = Owner("agent:support:desk")
ZAPIER: Final = Actor(kind=ActorKind.ROUTE, name="zapier", key_id=KeyId("2026-01"))
OPERATOR: Final = Actor(kind=ActorKind.OPERATOR, name="ada")


@frozen
class Ran:
    """What a command left: its exit code, and all that it wrote."""

    code: int
    out: str
    err: str


def taskflow(tools: Dependencies, *argv: str) -> Ran:
    """Run a command with its output in memory."""
    out, err = io.StringIO(), io.StringIO()
    code = run(argv, tools, out=out, err=err)
    return Ran(int(code), out.getvalue(), err.getvalue())


def standing(path: Path) -> tuple[int, ...]:
    """Return what stands under a name, and when it was written to; a link is itself."""
    status = path.lstat()
    return status.st_dev, status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns


def flow_id(number: int) -> FlowId:
    """Return the id of the nth thing that was made."""
    return FlowId(f"00000000-0000-4000-8000-{number:012}")


@frozen
class Bench:
    """A service whose clock moves a second and whose ids count one with each command."""

    flows: TaskFlows

    def execute(self, command: Command, owner: Owner = OWNER, *, actor: Actor = ZAPIER) -> Accepted:
        """Bring about a command that must be accepted."""
        outcome = self.attempt(command, owner, actor=actor)
        assert isinstance(outcome, Accepted), outcome
        return outcome

    def attempt(self, command: Command, owner: Owner, *, actor: Actor) -> Outcome:
        """Bring about a command, or learn why not."""
        origin = CommandMetadata(
            actor=actor, request_id=RequestId("request-1"), remote_address="203.0.113.7"
        )
        return self.flows.bind_session(owner).execute(command, origin)


def bench(store: EventSourcedStore, *, start: int = NOON) -> Bench:
    """Return a bench over a store."""
    seconds, numbers = itertools.count(start, 1000), itertools.count(1)
    return Bench(TaskFlows(store, lambda: next(seconds), lambda: flow_id(next(numbers))))


@contextmanager
def seeding(url: str) -> Iterator[Bench]:
    """Open a store to put flows into it."""
    with closing(open_for_writing(url)) as store:
        yield bench(store)


@frozen
class OperatorsFlows:
    """A store opened to be changed, an hour later, by an operator."""

    store: EventSourcedStore

    def load(self, flow_id: FlowId, version: int | None = None) -> Flow | None:
        """Return a flow."""
        return self.store.load(flow_id, version)

    def cancel(self, flow_id: FlowId) -> Outcome:
        """Cancel a flow of whichever owner."""
        owner = self.store.owner_of(flow_id) or ""
        command = CancelFlow(flow_id=flow_id)
        return bench(self.store, start=NOON + 3_600_000).attempt(
            command, Owner(owner), actor=OPERATOR
        )

    def give_up_children(self, flow_id: FlowId) -> Swept:
        """Give up all active children of a flow."""
        return self._operators().give_up_children(flow_id)

    def sweep(self, lost_after: int | None) -> Swept:
        """Give up silent children; after five minutes, as no configuration says otherwise."""
        return self._operators().sweep(1000 * (300 if lost_after is None else lost_after))

    def _operators(self) -> Operators:
        later, numbers = itertools.count(NOON + 3_600_000, 1000), itertools.count(900)
        return Operators(self.store, lambda: next(later), lambda: flow_id(next(numbers)), OPERATOR)

    def rebuild(self, progress: Callable[[int, int], object]) -> RebuiltRows:
        """Make the derived rows again."""
        return rebuild(self.store, progress)


def tools_over(report: CheckReport | None = None) -> Dependencies:
    """Return tools that open real stores, and report of a configuration what they are given."""

    def check(config: Path) -> CheckReport:
        assert report is not None, config
        return report

    return Dependencies(
        serve=lambda options: refuse(options.config),
        reload=lambda config, _: refuse(config),
        clock=lambda: NOON + DAY,
        check=check,
        explain=lambda options: refuse(options.config),
        read_store=_read_store,
        write_store=_write_store,
        migrate=migrate_store,
        back_up=back_up_store,
        copy_store=copy_store_to,
        restore_store=restore_store,
        open_audit_log=_open_audit_log,
        serve_pages=lambda wanted: refuse(wanted.config),
        exports=Exports(ndjson=write_ndjson, cloud_events=write_cloud_events),
        proving=AuditService(_unconfigured),
        open_refusals=_open_refusals,
        open_configurations=_open_configurations,
        own_files=_own_files,
        spare_own_files=lambda config, database, file, key: spare_own_files(
            None, _url(config, database), file, key
        ),
        openapi=openapi_document,
    )


def _own_files(config: Path | None, database: str | None, checkpoints: Path | None) -> OwnFiles:
    own = own_files(None, _url(config, database), checkpoints)
    return own if config is None else {**own, config: "the configuration"}


def _url(config: Path | None, database: str | None) -> str | None:
    """Return a store's URL, which a configuration of these tests is nothing but."""
    return config.read_text("utf-8") if database is None and config is not None else database


def _unconfigured(config: Path) -> Configured:
    """Say what the configurations of these tests say of checkpoints: a file beside them, no key."""

    def signing_key() -> NoReturn:
        raise Unprovable("taskflow.audit.key: there is none")

    return Configured(file=config.with_suffix(".checkpoints"), signing_key=signing_key, origin=None)


def refuse(config: Path | None) -> NoReturn:
    """Refuse to serve a configuration."""
    raise CommandError(f"{config}:1: expected an object, found a number\n{config}:2: and so on")


@contextmanager
def _read_store(config: Path | None, database: str | None) -> Iterator[EventSourcedStore]:
    with _opened(open_for_reading, config, database) as store:
        yield store


@contextmanager
def _open_audit_log(config: Path | None, database: str | None) -> Iterator[AuditLog]:
    with _read_store(config, database) as store:
        yield StoreAuditLog(store)


@contextmanager
def _open_refusals(config: Path | None, database: str | None) -> Iterator[RefusalLog]:
    with _read_store(config, database):
        yield read_refusals(database or "")


@contextmanager
def _open_configurations(config: Path | None, database: str | None) -> Iterator[ConfigurationLog]:
    with _read_store(config, database):
        yield read_configurations(database or "")


@contextmanager
def _write_store(config: Path | None, database: str | None) -> Iterator[OperatorsFlows]:
    with _opened(open_for_writing, config, database) as store:
        yield OperatorsFlows(store)


@contextmanager
def _opened(
    opening: Callable[[str], EventSourcedStore], config: Path | None, database: str | None
) -> Iterator[EventSourcedStore]:
    """Open the store at a URL, which a configuration of these tests is nothing but."""
    url = database if config is None else config.read_text(encoding="utf-8")
    assert url is not None
    try:
        with closing(opening(database or url)) as store:
            yield store
    except StoreFault as error:
        raise CommandError(str(error)) from error
