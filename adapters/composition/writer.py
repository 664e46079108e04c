"""The one thread that writes to the store of a gateway."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeAlias

from adapters.composition.clock_and_ids import new_id, now
from adapters.composition.metering import carry_out_metered
from adapters.metrics import GatewayMetrics
from adapters.schedule.batches import MOST, BatchThread
from adapters.store import EventSourcedStore
from domain.application.batch import Submission
from domain.application.outcomes import Outcome
from domain.application.sessions import TaskFlows
from domain.flow.commands import CancelFlow

Writer: TypeAlias = BatchThread[Submission, Outcome | Exception]


@contextmanager
def writing(store: EventSourcedStore, metrics: GatewayMetrics | None = None) -> Iterator[Writer]:
    """Carry out commands in a thread of their own, as long as the context lasts."""
    work = partial(carry_out_metered, store, metrics or GatewayMetrics())
    writer = Writer(work, weigh=_weigh)
    try:
        yield writer
    finally:
        writer.stop()


def _weigh(submission: Submission) -> int:
    # PERF: a cancellation loads and shows all tasks of its flow. Eight of 15 MB each took 400 MB in
    # one batch, and 230 one after the other.
    return MOST if isinstance(submission.context.command, CancelFlow) else 1


def flows_of(store: EventSourcedStore, writer: Writer) -> TaskFlows:
    """Return the flows of a store, which nobody but the writer writes to."""
    return TaskFlows(store, now, new_id, writer.do_all)
