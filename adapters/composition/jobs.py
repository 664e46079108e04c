"""What the gateway does by itself: it sweeps, signs checkpoints, and notes refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from attrs import define, field

from adapters.audit.checkpointing import append_if_grown
from adapters.audit.desk import configured_issuer
from adapters.composition.checkpoints import checkpoints_of
from adapters.composition.edges import LOG, log_failure, new_id, now, read_clocks
from adapters.logs import log_event, log_fault
from adapters.schedule import every
from adapters.settings import Children, Settings
from adapters.store import EventSourcedStore, StoreEvidence, recording_refusals
from adapters.webhooks.refused import NoteAnswer, noting
from domain.listening import ListeningPace, ListeningPeriod
from domain.operators import SYSTEM, Operators
from domain.ports import StoreUnavailable
from domain.sweep import Sightings


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
    checkpoints, pace = settings.checkpoints, _pace_of(settings.children)
    with ExitStack() as jobs:
        system = Operators(store, now, new_id, SYSTEM)
        sweep = _SweepJob(system, ListeningPeriod.begin(pace, read_clocks()))
        jobs.enter_context(every(pace.beat / 1000, sweep, partial(_log_fault_of, "sweep")))
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


def _pace_of(children: Children) -> ListeningPace:
    lost_after, sweep = children.lost_after_seconds, children.sweep_seconds
    return ListeningPace(stale_after=round(1000 * lost_after), sweep_every=round(1000 * sweep))


@define
class _SweepJob:
    """Looks at the clocks at each beat, and sweeps at every so many."""

    system: Operators
    period: ListeningPeriod
    sightings: Sightings = field(factory=dict)
    looks: int = 0

    def __call__(self) -> None:
        self.period = self.period.look(read_clocks())
        self.looks += 1
        if self.looks % self.period.pace.looks_per_sweep:
            return
        try:
            swept, self.sightings = self.system.sweep_stale(self.period, self.sightings)
        except StoreUnavailable:
            # A store that takes no writes hears no news either.
            self.period = ListeningPeriod.begin(self.period.pace, read_clocks())
            raise
        if swept.lost:
            log_event(LOG, "swept", {"lost": swept.lost, "cancelled": swept.cancelled})


def _log_fault_of(job: str, error: Exception) -> None:
    log_failure(f"{job} failed", {}, error)
