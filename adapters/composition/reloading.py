"""Reading the settings again: all that is right is swapped as one, or nothing, with one line.

SIGHUP is acted on in the server's loop, which must not wait: a thread reads, so that a command that
hands out secrets may take its time. Signals that come while it reads are one more reload after it.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Lock
from typing import Final

from attrs import asdict, define, evolve, field, frozen

from adapters import cli
from adapters.composition.checkpoints import signing_of
from adapters.composition.clock_and_ids import LOG, now
from adapters.composition.key_times import advise_on_times
from adapters.composition.own_files import CHECKPOINTS, misplaced_in_any
from adapters.composition.stores import settings_of
from adapters.logs import log_fault, log_milestone
from adapters.presentation.printable import counted, printable
from adapters.settings import Settings, SharedLimitsConfig
from adapters.settings.checkpoints import is_same_key
from adapters.store import EventSourcedStore
from domain.history.published import public_name

RELOAD_PATIENCE_SECONDS: Final = 2.0
"""How long the end waits for a reload that has begun."""


class RefusedReload(Exception):  # noqa: N818 - an answer, not an error
    """Why the settings that run stay as they are, in one line without any secret."""


@frozen
class Report:
    """How reload number `number` went: `began`, `reloaded` or `refused`, and why or how."""

    number: int
    outcome: str
    sentence: str = ""

    def __str__(self) -> str:
        return f"reload {self.number} {self.outcome} {self.sentence}".rstrip()


@define(eq=False, kw_only=True)
class Reloads:
    """Reloads the settings of a gateway when it is asked to, in a thread of its own."""

    config: Path
    url: str
    settings: Settings
    swap: Callable[[Settings], None]
    report: Callable[[Report], None]
    record: Callable[[Settings], None]
    _wanted: Event = field(factory=Event, init=False)
    _ended: bool = field(default=False, init=False)
    _number: int = field(default=0, init=False)
    _lock: Lock = field(factory=Lock, init=False)

    def ask(self, name: str, times: int) -> None:
        """Have the settings read again, for a signal that came so many times."""
        log_milestone(LOG, "reloading", {"signal": name, "times": times})
        self._wanted.set()

    def run(self) -> None:
        """Reload whenever it is asked for, until the end."""
        # NOTE: `nohup` has SIGHUP ignored, and so it stays.
        is_ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        self._tell("ignored" if is_ignored else "ready")
        while self._wanted.wait() and not self._ended:
            self._wanted.clear()
            self._reload()

    def end(self) -> None:
        """Begin no more reload, and swap nothing any more."""
        with self._lock:
            self._ended = True
        self._wanted.set()

    def _reload(self) -> None:
        self._number += 1
        self._tell("began")
        try:
            settings = acceptable(self.settings, settings_of(self.config), self.url)
            self._take(settings)
        except (RefusedReload, cli.CommandError) as refused:
            reason = _one_line(str(refused))
            log_fault(LOG, "reload refused", {"reason": reason})
            self._tell("refused", reason)
        except Exception as fault:  # noqa: BLE001 - whatever it is, the gateway goes on as it was
            log_fault(LOG, "reload refused", {"reason": str(fault)}, fault)
            self._tell("refused", "a fault of the gateway: its log has the traceback")

    def _take(self, settings: Settings) -> None:
        kept = tuple(_kept(self.settings, settings))
        for finding in _news(self.settings, settings):
            LOG.warning("%s", finding)
        effective = _effective(self.settings, settings)
        with self._lock:
            if self._ended:
                raise RefusedReload("the gateway stops")
            self.swap(effective)
        self.settings = effective
        self.record(effective)
        routes, restart = len(effective.routes), ", ".join(kept) or None
        log_milestone(LOG, "reloaded", {"routes": routes, "restart_needed_for": restart})
        later = f"; only a restart changes {restart}" if restart else ""
        self._tell("reloaded", f"{counted(routes, 'route')} served{later}")

    def _tell(self, outcome: str, sentence: str = "") -> None:
        with self._lock:
            if not self._ended:  # NOTE: then the store may be closed already
                self.report(Report(self._number, outcome, sentence))


def acceptable(running: Settings, settings: Settings, url: str) -> Settings:
    """Return settings that may take the place of those that run.

    Raises:
        RefusedReload: if they would serve less than what they say, and the running ones do not.
    """
    lacked = {(key.route_id, key.key_id) for key in running.unresolved}
    served = {route.route_id for route in running.routes}
    for key in settings.unresolved:
        if (key.route_id, key.key_id) not in lacked:
            raise RefusedReload(f"route {key.route_id}, key {key.key_id}: {key.reason}")
    for route in settings.skipped:
        if route.route_id in served:
            raise RefusedReload(str(route))
    if settings.checkpoints.differs_from(running.checkpoints):
        signing = signing_of(settings)
        if fault := misplaced_in_any(evolve(settings, shards=running.shards), url, signing):
            raise RefusedReload(f"{CHECKPOINTS}: {fault}")
        others = (signing.of(settings.of_shard(shard).checkpoints) for shard in running.shards[1:])
        for sentence in (found for one in (signing, *others) for found in one.faults):
            raise RefusedReload(sentence)
    return settings


def _effective(running: Settings, settings: Settings) -> Settings:
    return evolve(
        settings,
        store=running.store,
        shards=running.shards,
        server=running.server,
        core_dumps=running.core_dumps,
        kept_refusals=running.kept_refusals,
        admin=running.admin,
        shared_limits=running.shared_limits,
        shared_limits_password=running.shared_limits_password,
    )


def _kept(running: Settings, settings: Settings) -> Iterator[str]:
    """Return the fields that differ, and that only a restart changes."""
    if running.store != settings.store:
        yield "taskflow.store.url"
    if running.shards[0].closed != settings.shards[0].closed:
        yield "taskflow.store.closed"
    if running.shards[1:] != settings.shards[1:]:
        yield "taskflow.store.shards"
    wanted = asdict(settings.server)
    for name, value in asdict(running.server).items():
        if wanted[name] != value:
            yield f"taskflow.server.{public_name(name)}"
    if _limits_shared(running) != _limits_shared(settings) or not is_same_key(
        running.shared_limits_password, settings.shared_limits_password
    ):
        yield "taskflow.limits.shared"
    if running.core_dumps != settings.core_dumps:
        yield "taskflow.server.coreDumps"
    if running.admin != settings.admin:
        yield "taskflow.server.admin"
    if running.kept_refusals != settings.kept_refusals:
        yield "taskflow.audit.refusals"


def _limits_shared(settings: Settings) -> SharedLimitsConfig | None:
    shared = settings.shared_limits
    return None if shared is None else evolve(shared, password=None)


def _news(running: Settings, settings: Settings) -> Iterator[str]:
    known = {str(finding) for finding in (*running.skipped, *running.advice)}
    for finding in (*settings.skipped, *settings.advice, *advise_on_times(settings, now())):
        if str(finding) not in known:
            yield str(finding)


def _one_line(text: str) -> str:
    first, *others = text.split("\n")
    return f"{first} (and {len(others)} more)" if others else first


def note_report(store: EventSourcedStore, report: Report) -> None:
    """Write how a reload goes where `taskflow reload` looks for it."""
    try:
        store.note_status(printable(str(report)))
    except OSError as error:
        log_fault(LOG, "reload not reported", {"reason": error.strerror})
