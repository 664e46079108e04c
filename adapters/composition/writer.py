"""The one thread that writes to the store of a gateway."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from typing import TypeAlias, cast

from attrs import frozen

from adapters.composition.clock_and_ids import new_id, now
from adapters.metrics import GatewayMetrics, StoreMetrics
from adapters.schedule.batches import MOST, BatchThread
from adapters.store import EventSourcedStore
from domain.application.batch import Submission, carry_out
from domain.application.outcomes import Outcome
from domain.application.ports import Commit, FlowStore, StoreUnavailable
from domain.application.sessions import TaskFlows
from domain.flow.commands import CancelFlow

Writer: TypeAlias = BatchThread[Submission, Outcome | Exception]


@contextmanager
def writing(store: EventSourcedStore, metrics: StoreMetrics | None = None) -> Iterator[Writer]:
    """Carry out commands in a thread of their own, as long as the context lasts."""
    work = partial(carry_out_metered, store, metrics or GatewayMetrics().of_store(""))
    writer = Writer(work, weigh=_weigh)
    try:
        yield writer
    finally:
        writer.stop()


def _weigh(submission: Submission) -> int:
    # PERF: a cancellation loads and shows all tasks of its flow. Eight of 15 MB each took 400 MB in
    # one batch, and 230 one after the other.
    return MOST if isinstance(submission.context.command, CancelFlow) else 1


def carry_out_metered(
    store: FlowStore, metrics: StoreMetrics, submissions: Sequence[Submission]
) -> Sequence[Outcome | Exception]:
    """Carry out commands, and measure that."""
    metrics.batch(len(submissions))
    return carry_out(cast("FlowStore", _MeteredStore(store, metrics)), submissions)


@frozen
class _MeteredStore:
    """A store whose writes are measured; all else is the store's own."""

    store: FlowStore
    metrics: StoreMetrics

    def append_many(self, commits: Sequence[Commit]) -> Sequence[bool]:
        began = perf_counter()
        try:
            written = self.store.append_many(commits)
        except StoreUnavailable:
            self.metrics.write_failed()
            raise
        won = (commit for commit, is_written in zip(commits, written, strict=True) if is_written)
        events = sum(len(commit.events) for commit in won)
        self.metrics.commit(events=events, seconds=perf_counter() - began)
        return written

    def __getattr__(self, name: str) -> object:
        return getattr(self.store, name)


def flows_of(store: EventSourcedStore, writer: Writer) -> TaskFlows:
    """Return the flows of a store, which nobody but the writer writes to."""
    return TaskFlows(store, now, new_id, writer.do_all)
