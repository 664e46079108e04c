"""A batch of commits as the arrays that the function `append_batch` takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from eventsourcing.persistence import StoredEvent
from psycopg.types.numeric import Int8

from adapters.store.recorder import StoredCommit, tasks_in
from adapters.store.schema import link_columns
from adapters.store.tasks import changed_rows
from adapters.store.values import value_rows
from adapters.store.views import view_row
from domain.flow.events import Event
from domain.flow.ids import FlowId
from domain.flow.state import Flow, cancel_requested, is_terminal
from domain.history.audit_log import RequestKeyRow


def batch_arrays(
    commits: Sequence[StoredCommit], to_snapshot: Callable[[Flow], StoredEvent]
) -> Sequence[object]:
    """Return the values behind the first two of `append_batch`, in its order."""
    last = {commit.flow.flow_id: n for n, commit in enumerate(commits, 1) if commit.events}
    flows = [(n, commits[n - 1].flow) for n in last.values()]
    values = [(n, row) for n, flow in flows for row in value_rows(flow)]
    return [
        *_commits(commits),
        *_events(commits),
        *_flows(commits, flows, to_snapshot),
        *_tasks(commits, flows),
        [Int8(n) for n, _ in values],
        *_columns([row for _, row in values], 4, numbers=(2,)),
        *_links(commits),
    ]


def _links(commits: Sequence[StoredCommit]) -> Sequence[list[object]]:
    links = [(n, link) for n, commit in enumerate(commits, 1) for link in commit.links]
    return _columns([(n, *link_columns(link)) for n, link in links], 5, numbers=(0,))


def _events(commits: Sequence[StoredCommit]) -> Sequence[list[object]]:
    events = [(n, event) for n, commit in enumerate(commits, 1) for event in commit.events]
    rows = [(n, e.originator_id, e.originator_version, e.topic, e.state) for n, e in events]
    return _columns(rows, 5, numbers=(0, 2))


def _flows(
    commits: Sequence[StoredCommit],
    flows: Sequence[tuple[int, Flow]],
    to_snapshot: Callable[[Flow], StoredEvent],
) -> Sequence[list[object]]:
    created = {c.flow.flow_id for c in commits if c.events and c.events[0].originator_version == 1}
    rows = []
    for n, flow in flows:
        snapshot, (_, _, _, checksum, json) = to_snapshot(flow), view_row(flow)
        what = (n, flow.flow_id, flow.flow_id in created, flow.owner, flow.status.value)
        state = (cancel_requested(flow), flow.task_count)
        kept = (snapshot.originator_version, snapshot.topic, snapshot.state, checksum, json)
        found_by = (flow.controller_id, flow.current_step, flow.correlation_key)
        lists = (*found_by, not is_terminal(flow), flow.updated_at)
        rows.append((*what, *state, *kept, flow.until, *lists))
    return _columns(rows, 18, numbers=(0, 6, 7, 10, 12, 17))


def _tasks(
    commits: Sequence[StoredCommit], flows: Sequence[tuple[int, Flow]]
) -> Sequence[list[object]]:
    changes: defaultdict[FlowId, list[Event]] = defaultdict(list)
    for commit in commits:
        changes[commit.flow.flow_id] += commit.changes
    rows = []
    for n, flow in flows:
        for is_new, (flow_id, number, *columns) in changed_rows(
            flow, *tasks_in(changes[flow.flow_id])
        ):
            rows.append((n, flow_id, number if is_new else None, *columns))
    return _columns(rows, 8, numbers=(0, 2, 5, 6))


def _columns(
    rows: Sequence[tuple[Any, ...]], width: int, *, numbers: Sequence[int]
) -> Sequence[list[object]]:
    """Return rows as columns. NOTE: psycopg gives numbers the smallest type that holds them."""
    columns = [list(column) for column in zip(*rows, strict=True)] if rows else [[]] * width
    return [
        [None if value is None else Int8(value) for value in column] if at in numbers else column
        for at, column in enumerate(columns)
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
        rows.append((flow_id, first, after, *_key(key), *(commit.past or (None, None))[-2:]))
    return _columns(rows, 10, numbers=(1, 2, 6, 8))


def _ref(key: RequestKeyRow) -> tuple[object, ...]:
    return (key.route_id, key.key)


def _key(key: RequestKeyRow | None) -> tuple[object, ...]:
    if key is None:
        return (None,) * 5
    return (key.route_id, key.key, key.request_hash, key.version, key.task_id)
