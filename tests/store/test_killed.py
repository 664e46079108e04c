"""A writer that is killed at a random moment: what it acknowledged is there, all else is whole."""

from __future__ import annotations

import random
from contextlib import closing

import pytest

from adapters.store import EventSourcedStore, open_for_reading, open_for_writing, rebuild
from domain.flow.evolve import fold
from domain.flow.ids import FlowId
from tests.store.commits import idempotency_record
from tests.store.processes import said, writing_process
from tests.store.service import session
from tests.store.tables import EVENTS, HEALTHY, KEYS, rows


@pytest.mark.parametrize("attempt", range(5))
def test_every_acknowledged_commit_outlives_a_kill(file_url: str, attempt: int) -> None:
    acknowledged = _write_and_kill(file_url, after=random.Random(attempt).randrange(1, 300))  # noqa: S311 - a moment, no secret
    with closing(open_for_reading(file_url)) as reader:
        _check(reader, acknowledged)
    with closing(open_for_writing(file_url)) as store:
        _check(store, acknowledged)
        assert rebuild(store).changed == HEALTHY
        session(store, prefix="later").page(limit=1000)


def _write_and_kill(url: str, after: int) -> list[str]:
    with writing_process(url, "write") as process:
        assert said(process) == "open"
        lines = [said(process) for _ in range(after)]
        process.kill()
        # NOTE: the process went on while we read, so this is at any point of its next commits.
        rest = process.stdout.read() if process.stdout else ""
        complete, _, _cut = rest.rpartition("\n")
        return [*lines, *complete.splitlines()]


def _check(store: EventSourcedStore, acknowledged: list[str]) -> None:
    owner = session(store)
    for line in acknowledged:
        flow_id, revision, key = line.split(" ")
        flow = owner.find(FlowId(flow_id))
        assert flow is not None, line
        assert flow.revision >= int(revision), line
        remembered = idempotency_record(store, key)
        assert remembered is not None, line
        assert remembered.flow_id == flow_id
    # At most the one commit that was written, but not yet printed, is more than that.
    assert len(rows(store, KEYS)) - len(acknowledged) in (0, 1)
    for flow_id in {str(row[0]) for row in rows(store, EVENTS)}:
        events = [record.event for record in store.history(FlowId(flow_id))]
        assert store.load(FlowId(flow_id)) == fold(None, events)
