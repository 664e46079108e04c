"""A batch of commits as the arrays that the function `append_batch` takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from eventsourcing.persistence import StoredEvent
from psycopg.types.numeric import Int8

from adapters.store.recorder import StoredCommit
from domain.flow.ids import FlowId
from domain.flow.state import Flow, cancel_requested
from domain.history.audit_log import RequestKeyRow


def batch_arrays(
    commits: Sequence[StoredCommit], to_snapshot: Callable[[Flow], StoredEvent]
) -> Sequence[object]:
    """Return the values behind the first two of `append_batch`, in its order."""
    last = {commit.flow.flow_id: n for n, commit in enumerate(commits, 1) if commit.events}
    flows = [(n, commits[n - 1].flow) for n in last.values()]
    snapshots = [to_snapshot(flow) for _, flow in flows]
    created = {c.flow.flow_id for c in commits if c.events and c.events[0].originator_version == 1}
    events = [(n, event) for n, commit in enumerate(commits, 1) for event in commit.events]
    return [
        *_commits(commits),
        [Int8(n) for n, _ in events],
        [event.originator_id for _, event in events],
        [Int8(event.originator_version) for _, event in events],
        [event.topic for _, event in events],
        [event.state for _, event in events],
        [Int8(n) for n, _ in flows],
        [flow.flow_id for _, flow in flows],
        [flow.flow_id in created for _, flow in flows],
        [flow.owner for _, flow in flows],
        [flow.status.value for _, flow in flows],
        [cancel_requested(flow) for _, flow in flows],
        [Int8(len(flow.tasks)) for _, flow in flows],
        [Int8(snapshot.originator_version) for snapshot in snapshots],
        [snapshot.topic for snapshot in snapshots],
        [snapshot.state for snapshot in snapshots],
        [Int8(0) for _ in flows],
        [b"" for _ in flows],
        *([] for _ in range(8 + 5)),
    ]


def _commits(commits: Sequence[StoredCommit]) -> Sequence[list[object]]:
    seen: set[FlowId] = set()
    used: set[tuple[object, ...]] = set()
    rows = []
    for commit in commits:
        flow_id, key = commit.flow.flow_id, commit.key
        first = commit.events[0].originator_version if commit.events else None
        after = None if first is None or flow_id in seen else first - 1
        if first is not None:
            seen.add(flow_id)
        if key is not None and _ref(key) in used:
            after = -1  # of two with one key in a batch only the first is written
        if key is not None:
            used.add(_ref(key))
        rows.append((flow_id, _int8(first), _int8(after), *_key(key)))
    return [list(column) for column in zip(*rows, strict=True)]


def _ref(key: RequestKeyRow) -> tuple[object, ...]:
    return (key.route_id, key.key)


def _key(key: RequestKeyRow | None) -> tuple[object, ...]:
    if key is None:
        return (None,) * 5
    return (key.route_id, key.key, key.request_hash, Int8(key.version), key.task_id)


def _int8(number: int | None) -> Int8 | None:
    return None if number is None else Int8(number)
