"""What the gateway does by itself: it sweeps, signs checkpoints, and maintains its store."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Event, Lock
from typing import Final

from attrs import define, field

from adapters.audit.audit_service import configured_signer
from adapters.audit.checkpointing import append_if_grown
from adapters.audit.comparing import compare_with_last
from adapters.audit.keys import Verifier
from adapters.composition.checkpoints import checkpoints_as_configured
from adapters.composition.clock_and_ids import LOG, log_failure, new_id, now, read_clocks
from adapters.composition.sweeping import SweepJob, WaitJob, pace_of
from adapters.logs import log_fault, log_milestone
from adapters.schedule import every, once
from adapters.settings import Settings
from adapters.store import EventSourcedStore, StoreAuditLog
from domain.application.batch import CarryOut
from domain.application.operators import SYSTEM, Operators
from domain.history.audit_log import AuditLog

_MAINTENANCE_SECONDS: Final = 1.0
_WAITS_SECONDS: Final = 1.0
"""By so much a wait may end late."""


@contextmanager
def doing_jobs(
    settings: Settings,
    store: EventSourcedStore,
    carry_out: CarryOut,
    *,
    is_listening: Callable[[], bool],
    verifiers: tuple[Verifier, ...] | None,
) -> Iterator[Jobs]:
    """Do what the gateway does by itself, while the context lasts.

    `verifiers` are the keys by which the last checkpoint may be signed, None if none can be signed
    now where they should be.
    """
    maintenance = _MaintenanceJob(store)
    jobs = Jobs(store, carry_out, is_listening, verifiers is not None)
    comparing = partial(_compare, settings.checkpoints.file, verifiers or (), StoreAuditLog(store))
    system = Operators(store, now, new_id, SYSTEM, carry_out)
    waits = WaitJob(system, is_listening, partial(_log_fault_of, "waits"))
    with (
        once(comparing, partial(_log_fault_of, "comparing")),
        every(_WAITS_SECONDS, waits, waits.log_fault),
        every(_MAINTENANCE_SECONDS, maintenance, maintenance.log_fault),
    ):
        jobs.follow(settings)
        try:
            yield jobs
        finally:
            jobs.end()


@define(eq=False)
class Jobs:
    """The jobs that follow the settings: sweeping, and signing checkpoints."""

    store: EventSourcedStore
    carry_out: CarryOut
    is_listening: Callable[[], bool]
    signs: bool
    """Whether the last checkpoint that was due could be signed."""
    _settings: Settings | None = field(default=None, init=False)
    _ended: bool = field(default=False, init=False)
    _sweeping: ExitStack = field(factory=ExitStack, init=False)
    _signing: ExitStack = field(factory=ExitStack, init=False)
    _lock: Lock = field(factory=Lock, init=False)
    _stopped: Event = field(factory=Event, init=False)

    def follow(self, settings: Settings) -> None:
        """Begin those jobs anew whose settings differ from the last; any thread may call this.

        A job that has begun is waited for. A new pace of the sweep gives all children their time.
        """
        with self._lock:
            last, self._settings = self._settings, settings
            if self._ended:
                return
            if last is None or last.children != settings.children:
                self._sweep(settings)
            if last is None or last.checkpoints.differs_from(settings.checkpoints):
                self.signs |= last is not None  # a reload is refused that could not sign
                self._sign(settings)

    def checkpoint_age(self) -> float:
        """Return the seconds since the last checkpoint was signed; OSError if none ever was."""
        if self._settings is None or self._settings.checkpoints.key is None:
            raise FileNotFoundError("nobody signs")
        # NOTE: nobody but the signing of checkpoints writes to their file.
        return time.time() - self._settings.checkpoints.file.stat().st_mtime

    def end(self) -> None:
        """End all jobs."""
        self._stopped.set()  # before any job is waited for
        with self._lock:
            self._ended = True
            self._signing.close()
            self._sweeping.close()

    def _sweep(self, settings: Settings) -> None:
        self._sweeping.close()
        pace = pace_of(settings.children)
        system = Operators(self.store, now, new_id, SYSTEM, self.carry_out)
        job = SweepJob(system, pace, read_clocks, self.is_listening)
        self._sweeping.enter_context(every(pace.beat / 1000, job, partial(_log_fault_of, "sweep")))

    def _sign(self, settings: Settings) -> None:
        self._signing.close()
        checkpoints = settings.checkpoints
        if checkpoints.key is not None:
            seconds, evidence = 60 * checkpoints.every_minutes, StoreAuditLog(self.store)
            job = checkpoint_job(settings, evidence, self._stopped.is_set)
            self._signing.enter_context(every(seconds, partial(self._do, job), self._cannot_sign))

    def _do(self, job: Callable[[], None]) -> None:
        job()
        self.signs = True

    def _cannot_sign(self, error: Exception) -> None:
        self.signs = False
        _log_fault_of("checkpoint", error)


@define
class _MaintenanceJob:
    """Maintains a store; it runs so often that of faults in a row only the first is logged."""

    store: EventSourcedStore
    is_failing: bool = False

    def __call__(self) -> None:
        self.store.maintain()
        self.is_failing = False

    def log_fault(self, error: Exception) -> None:
        if not self.is_failing:
            _log_fault_of("maintenance", error)
        self.is_failing = True


def checkpoint_job(
    settings: Settings, evidence: AuditLog, is_stopped: Callable[[], bool]
) -> Callable[[], None]:
    """Return what signs a checkpoint if anything has happened, unless the gateway stops first."""
    configured = checkpoints_as_configured(settings.checkpoints)
    signed = 0

    def job() -> None:
        nonlocal signed
        signer = configured_signer(configured)
        with suppress(_StoppedError):
            made = append_if_grown(evidence, signer, progress=_stop_in_time(is_stopped))
            if made is not None:
                log_milestone(LOG, "checkpoint", {"events": made.checkpoint.size})
                for notice in made.notices:
                    LOG.warning("%s", notice)
                if made.before < signed:
                    reason = f"{signer.file} lost what was signed since {made.before} events"
                    log_fault(LOG, "checkpoints removed", {"reason": f"{reason}: see its copies"})
                signed = made.checkpoint.size

    return job


class _StoppedError(Exception):
    """The gateway stops, and what was begun is not needed any more."""


def _stop_in_time(is_stopped: Callable[[], bool]) -> Callable[[int, int], None]:
    def progress(_done: int, _all: int) -> None:
        if is_stopped():
            raise _StoppedError

    return progress


def _compare(
    file: Path, keys: tuple[Verifier, ...], evidence: AuditLog, is_stopped: Callable[[], bool]
) -> None:
    """Say whether the store is the one that its last checkpoint speaks of."""
    if not file.exists():
        return
    try:
        found = compare_with_last(evidence, file, keys, _stop_in_time(is_stopped))
    except _StoppedError:
        return
    fields = {"file": str(file), "signature": None if keys else "not checked"}
    if found is None:
        return
    if found.problem is None:
        log_milestone(
            LOG, "store agrees with its last checkpoint", {**fields, "events": found.size}
        )
    else:
        advice = "see taskflow audit verify, and taskflow store restore"
        reason = f"{found.problem}; {advice}"
        log_fault(LOG, "store is not that of its last checkpoint", {**fields, "reason": reason})


def _log_fault_of(job: str, error: Exception) -> None:
    log_failure(f"{job} failed", {}, error)
