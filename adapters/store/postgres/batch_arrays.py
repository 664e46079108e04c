"""A batch of commits as the arrays that the function `append_batch` takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from eventsourcing.persistence import StoredEvent

from adapters.store.postgres.arrays import Blobs, Flags, Numbers, Texts
from adapters.store.recorder import StoredCommit, tasks_in
from adapters.store.schema import key_columns, link_columns
from adapters.store.tasks import changed_rows
from adapters.store.values import large_names, parted
from adapters.store.views import view_row
from domain.flow.events import Event
from domain.flow.ids import FlowId
from domain.flow.state import Flow, cancel_requested, is_terminal

_TYPES: Final = {"t": Texts, "n": Numbers, "f": Flags, "b": Blobs}


def batch_arrays(
    commits: Sequence[StoredCommit], to_snapshot: Callable[[Flow], StoredEvent]
) -> Sequence[object]:
    """Return the values behind the first two of `append_batch`, in its order."""
    events = [event for commit in commits for event in commit.events]
    after = {commit.flow.flow_id: _version_before(commit) for commit in reversed(commits)}
    created = {e.originator_id: n for n, e in enumerate(events, 1) if e.originator_version == 1}
    flows = [*{commit.flow.flow_id: commit.flow for commit in commits if commit.events}.values()]
    both = [parted(flow) for flow in flows]
    return [
        *_columns("tn", [*after.items()]),
        *_keys(commits),
        *_names(flows, created),
        *_columns(
            "tntb",
            [(e.originator_id, e.originator_version, e.topic, e.state) for e in events],
        ),
        *_columns(
            "tnttfnntbnbtttn",
            [
                _flow_row(marked, created.get(marked.flow_id), to_snapshot(marked))
                for marked, _ in both
            ],
        ),
        *_changes(commits, flows),
        *_columns("tnttnnb", _task_rows(commits, flows)),
        *_columns("ttnb", [row for _, rows in both for row in rows]),
    ]


def _version_before(commit: StoredCommit) -> int:
    return commit.events[0].originator_version - 1 if commit.events else commit.flow.version


def _keys(commits: Sequence[StoredCommit]) -> Sequence[object]:
    """Return request keys, the answers they stand for, and links."""
    keys = [key_columns(commit.key) for commit in commits if commit.key is not None]
    # Keys that stand for one answer share its row, and so do links; the last of them writes it.
    past = {commit.past[:3]: commit.past for commit in commits if commit.past is not None}
    links = {row[:2]: row for commit in commits for row in map(link_columns, commit.links)}
    return [
        *_columns("ttttnt", keys),
        *_columns("tntnb", [*past.values()]),
        *_columns("tttt", [*links.values()]),
    ]


def _names(flows: Sequence[Flow], created: Collection[object]) -> Sequence[object]:
    """Return the correlation keys of flows that have ended, and of those that are opened."""
    named = [flow for flow in flows if flow.correlation_key is not None]
    return [
        *_columns("ttt", [_name(flow) for flow in named if is_terminal(flow)]),
        *_columns("ttt", [_name(flow) for flow in named if flow.flow_id in created]),
    ]


def _name(flow: Flow) -> tuple[object, ...]:
    return (flow.owner, flow.correlation_key, flow.flow_id)


def _changes(commits: Sequence[StoredCommit], flows: Sequence[Flow]) -> Sequence[object]:
    """Return what differs from how flows were before: in the index, of waits, of large values."""
    first = {commit.flow.flow_id: commit.before for commit in reversed(commits) if commit.events}
    changed = [(flow, old) for flow in flows if (old := first[flow.flow_id]) is not None]
    indexed = [
        (flow.flow_id, flow.status.value, cancel_requested(flow))
        for flow, old in changed
        if old.status != flow.status or cancel_requested(flow)
    ]
    waits = [(flow.flow_id, flow.until) for flow in flows if flow.until is not None]
    ended = [(new.flow_id,) for new, old in changed if new.until is None and old.until is not None]
    small = [
        (flow.flow_id, name)
        for flow, old in changed
        for name in large_names(old) - large_names(flow)
    ]
    return [
        *_columns("ttf", indexed),
        *_columns("tn", waits),
        *_columns("t", ended),
        *_columns("tt", small),
    ]


def _flow_row(flow: Flow, first: int | None, snapshot: StoredEvent) -> tuple[object, ...]:
    _, _, version, checksum, json = view_row(flow)
    return (
        *(flow.flow_id, first, flow.owner, flow.status.value),
        *(cancel_requested(flow), flow.task_count),
        *(version, snapshot.topic, snapshot.state, checksum, json),
        *(flow.controller_id, flow.current_step, flow.correlation_key),
        flow.updated_at,
    )


def _task_rows(
    commits: Sequence[StoredCommit], flows: Sequence[Flow]
) -> Sequence[tuple[object, ...]]:
    changes: defaultdict[FlowId, list[Event]] = defaultdict(list)
    for commit in commits:
        changes[commit.flow.flow_id] += commit.changes
    return [
        (flow_id, number if is_new else None, *columns)
        for flow in flows
        for is_new, (flow_id, number, *columns) in changed_rows(
            flow, *tasks_in(changes[flow.flow_id])
        )
    ]


def _columns(types: str, rows: Collection[tuple[Any, ...]]) -> Sequence[list[object]]:
    """Return rows as columns: of text, numbers, flags or bytes, by their letters."""
    columns = zip(*rows, strict=True) if rows else [()] * len(types)
    return [_TYPES[letter](column) for letter, column in zip(types, columns, strict=True)]
