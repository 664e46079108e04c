"""The stores that the auditor's pages show: one, or each of a configuration that has several."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from threading import Lock
from typing import cast

from attrs import define, evolve, field, frozen

from adapters import cli
from adapters.composition.clock_and_ids import LOG
from adapters.composition.stores import database_url, open_audit_log, open_refusals
from adapters.settings import GatewayConfig, parse_store_url
from domain.application.ports import StoreUnavailable
from domain.history.audit_log import AuditLog
from domain.history.refused_requests import RefusalLog


@frozen
class ShownStore:
    """A store that the pages show, its name where there are several, and its settings."""

    name: str
    gateway: GatewayConfig
    audit_log: AuditLog
    refusals: RefusalLog


def shown_stores(
    gateway: GatewayConfig, wanted: cli.PagesOptions, stack: ExitStack
) -> Sequence[ShownStore]:
    """Open the stores that are to be shown, as long as the stack lasts.

    Raises:
        CommandError: if none can be opened, or there is one file of checkpoints for several.
    """
    stores = _settings_of_each(gateway, wanted)
    logs = {
        name: _LateStore(stack, partial(open_audit_log, None, each.store.url))
        for name, each in stores.items()
    }
    kept_at = next(iter(stores.values())) if wanted.shard is None else gateway
    refusals = _LateStore(stack, partial(open_refusals, None, kept_at.store.url))
    _look_at(logs)
    return [
        ShownStore(name, each, cast("AuditLog", logs[name]), cast("RefusalLog", refusals))
        for name, each in stores.items()
    ]


def _settings_of_each(
    gateway: GatewayConfig, wanted: cli.PagesOptions
) -> Mapping[str, GatewayConfig]:
    named = {shard.name: gateway.of_shard(shard) for shard in gateway.shards}
    if wanted.database is not None or len(named) == 1:
        store = parse_store_url(database_url(gateway.file, wanted.database), Path.cwd())
        return {"": evolve(named.get(wanted.shard or "", gateway), store=store)}
    if wanted.checkpoints is not None:
        raise cli.CommandError("--checkpoints is a file of one store: say which, --shard NAME")
    return named


@define(eq=False)
class _LateStore:
    """A store that is opened when it is first read: it may be gone now, and be there later."""

    stack: ExitStack
    open: Callable[[], AbstractContextManager[object]]
    _found: object = field(default=None, init=False)
    _lock: Lock = field(factory=Lock, init=False)

    def __getattr__(self, name: str) -> object:
        try:
            return getattr(self.opened(), name)
        except cli.CommandError as error:
            raise StoreUnavailable(str(error)) from error

    def opened(self) -> object:
        """Return it open.

        Raises:
            CommandError: if it cannot be opened.
        """
        with self._lock:
            if self._found is None:
                self._found = self.stack.enter_context(self.open())
            return self._found


def _look_at(logs: Mapping[str, _LateStore]) -> None:
    """Open what is there; refuse to begin with nothing to show."""
    gone: list[str] = []
    for name, log in logs.items():
        try:
            log.opened()
        except cli.CommandError as error:
            gone.append(f"shard {name}: {error}" if name else str(error))
    if len(gone) == len(logs):
        raise cli.CommandError("\n".join(gone))
    for fault in gone:
        LOG.warning("%s", fault)
