"""What lies in a store's file, compared with what callers were told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import orjson
from attrs import frozen

from adapters.presentation.wire_json import flow_json, task_json
from adapters.store import open_for_reading, open_for_writing, rebuild
from domain.application.recorded_events import RecordedEvent
from domain.application.views import flow_view, task_view, task_views
from domain.flow.evolve import evolve
from domain.flow.state import Flow
from domain.flow.task import find_task
from tests.store.tables import HEALTHY
from tests.whole.callers import Document
from tests.whole.writers import Acknowledged

UNCHANGED: Mapping[str, int] = HEALTHY


@frozen
class Contents:
    """All streams of a store, and each flow as it was at each of its versions."""

    records: Sequence[RecordedEvent]
    flows: Mapping[tuple[str, int], Flow]

    def by_key(self) -> Mapping[str, Sequence[RecordedEvent]]:
        """Return the records that each idempotency key caused."""
        found = defaultdict(list)
        for record in self.records:
            found[record.metadata.idempotency_key or ""].append(record)
        return found


def url_of(database: Path | str) -> str:
    """Return the URL of a store's file, or of a store that is no file as it is."""
    return database if isinstance(database, str) else f"sqlite:///{database}"


def read_contents(database: Path | str) -> Contents:
    """Read and fold a whole store; a stream with a gap is a fault."""
    with closing(open_for_reading(url_of(database))) as store:
        records = [record for _, record in store.log()]
    now: dict[str, Flow] = {}
    flows: dict[tuple[str, int], Flow] = {}
    for record in records:
        before = now.get(record.flow_id)
        assert record.version == (1 if before is None else before.version + 1), record
        now[record.flow_id] = flows[record.flow_id, record.version] = evolve(before, record.event)
    return Contents(records, flows)


def assert_holds_exactly(database: Path, told: Iterable[Acknowledged]) -> None:
    """Check that a store holds the effects of what was acknowledged, each once, and no more."""
    contents = read_contents(database)
    caused = contents.by_key()
    expected = {str(entry.request.key): entry.result for entry in told}
    assert sorted(caused) == sorted(expected)
    for key, result in expected.items():
        records = caused[key]
        last = contents.flows[records[-1].flow_id, records[-1].version]
        versions = [record.version for record in records]
        assert {record.flow_id for record in records} == {last.flow_id}, key
        assert versions == list(range(versions[0], last.version + 1)), key
        assert shown(last, result) == result, key


def shown(flow: Flow, result: Document) -> Document:
    """Return what a result would say of a flow; what else it says stays as it is."""
    said: Document = {**result, "flow": flow_json(flow_view(flow))}
    if "task" in result:
        task = find_task(flow.tasks, result["task"]["taskId"])
        said["task"] = task and task_json(task_view(task, flow.flow_id))
    if "tasks" in result:
        said["tasks"] = [task_json(task) for task in task_views(flow)]
    answered: Document = orjson.loads(orjson.dumps(said))
    return answered


def assert_nothing_to_rebuild(database: Path | str) -> None:
    """Check that snapshots, index and request keys of a store equal what its events say.

    No gateway may be running on it.
    """
    with closing(open_for_writing(url_of(database))) as store:
        assert rebuild(store).changed == UNCHANGED
