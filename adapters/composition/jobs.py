"""What the gateway does by itself: it sweeps, signs checkpoints, and notes refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from adapters.audit.checkpointing import append_if_grown
from adapters.audit.comparing import compare_with_last
from adapters.audit.desk import configured_issuer
from adapters.audit.keys import Verifier
from adapters.composition.checkpoints import checkpoints_of, public_key_of
from adapters.composition.edges import LOG, log_failure, new_id, now
from adapters.logs import log_event, log_fault
from adapters.schedule import every, once
from adapters.settings import Settings
from adapters.store import EventSourcedStore, StoreEvidence, recording_refusals
from adapters.webhooks.refused import NoteAnswer, noting
from domain.audit.evidence import Evidence
from domain.operators import SYSTEM, Operators


@contextmanager
def noting_refusals(settings: Settings, url: str) -> Iterator[NoteAnswer]:
    """Give what notes the answers that are evidence; on leaving, all of them are written."""
    with recording_refusals(url, most=settings.kept_refusals, on_fault=_log_refusals_fault) as note:
        yield noting(note, now)


def _log_refusals_fault(error: Exception) -> None:
    log_fault(LOG, "refusals not written", {"reason": str(error)})


@contextmanager
def doing_jobs(settings: Settings, store: EventSourcedStore) -> Iterator[None]:
    """Do what the gateway does by itself, while the context lasts."""
    checkpoints, children = settings.checkpoints, settings.children
    with ExitStack() as jobs:
        comparing = partial(_compare, settings, StoreEvidence(store))
        jobs.enter_context(once(comparing, partial(_log_fault_of, "comparing")))
        sweep = _sweep_job(settings, store)
        jobs.enter_context(every(children.sweep_seconds, sweep, partial(_log_fault_of, "sweep")))
        if checkpoints.key is not None:
            seconds, job = 60 * checkpoints.every_minutes, _checkpoint_job(settings, store)
            jobs.enter_context(every(seconds, job, partial(_log_fault_of, "checkpoint")))
        yield


def _checkpoint_job(settings: Settings, store: EventSourcedStore) -> Callable[[], None]:
    evidence, configured = StoreEvidence(store), checkpoints_of(settings)

    def job() -> None:
        made = append_if_grown(evidence, configured_issuer(configured), now())
        if made is not None:
            log_event(LOG, "checkpoint", {"events": made.size})

    return job


class _StoppedError(Exception):
    """The gateway stops, and what was begun is not needed any more."""


def _compare(settings: Settings, evidence: Evidence, is_stopped: Callable[[], bool]) -> None:
    """Say whether the store is the one that its last checkpoint speaks of."""

    def stop_in_time(_done: int, _all: int) -> None:
        if is_stopped():
            raise _StoppedError

    file, key = settings.checkpoints.file, public_key_of(settings)
    verifier = None if key is None else Verifier.parse(key)
    try:
        found = compare_with_last(evidence, file, verifier, stop_in_time)
    except _StoppedError:
        return
    fields = {"file": str(file), "signature": "not checked" if key is None else None}
    if found is None:
        return
    if found.problem is None:
        log_event(LOG, "store agrees with its last checkpoint", {**fields, "events": found.size})
    else:
        advice = "see taskflow audit verify, and taskflow store restore"
        reason = f"{found.problem}; {advice}"
        log_fault(LOG, "store is not that of its last checkpoint", {**fields, "reason": reason})


def _sweep_job(settings: Settings, store: EventSourcedStore) -> Callable[[], None]:
    system = Operators(store, now, new_id, SYSTEM)
    lost_after = int(settings.children.lost_after_seconds * 1000)

    def job() -> None:
        swept = system.sweep(lost_after)
        if swept.lost:
            log_event(LOG, "swept", {"lost": swept.lost, "cancelled": swept.cancelled})

    return job


def _log_fault_of(job: str, error: Exception) -> None:
    log_failure(f"{job} failed", {}, error)
