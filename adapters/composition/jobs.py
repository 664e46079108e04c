"""What the gateway does by itself: it sweeps, signs checkpoints, and notes refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from adapters.audit.checkpointing import append_if_grown
from adapters.audit.desk import configured_issuer
from adapters.composition.checkpoints import checkpoints_of
from adapters.composition.edges import LOG, log_failure, new_id, now
from adapters.logs import log_event, log_fault
from adapters.schedule import every
from adapters.settings import Settings
from adapters.store import EventSourcedStore, StoreEvidence, recording_refusals
from adapters.webhooks.refused import NoteAnswer, noting
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
        sweep = _sweep_job(settings, store)
        jobs.enter_context(every(children.sweep_seconds, sweep, partial(_log_fault_of, "sweep")))
        if checkpoints.key is not None:
            seconds, job = 60 * checkpoints.every_minutes, _checkpoint_job(settings, store)
            jobs.enter_context(every(seconds, job, partial(_log_fault_of, "checkpoint")))
        yield


def _checkpoint_job(settings: Settings, store: EventSourcedStore) -> Callable[[], None]:
    evidence, configured = StoreEvidence(store), checkpoints_of(settings)

    def job() -> None:
        made = append_if_grown(evidence, configured_issuer(configured))
        if made is not None:
            log_event(LOG, "checkpoint", {"events": made.checkpoint.size})
            for notice in made.notices:
                LOG.warning("%s", notice)

    return job


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
