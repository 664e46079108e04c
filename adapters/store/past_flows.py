"""The states of flows that request keys stand for, so that a repeat is answered without a fold.

They are a cache: for one that is not there, or not right, the events are folded up to its version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias
from zlib import crc32

import orjson
from attrs import evolve

from adapters.store.codec import Undecodable, from_fields, to_fields
from adapters.store.database import DatabaseCursor
from adapters.store.values import with_marks, with_values
from domain.application.ports import Commit
from domain.flow.concerned import ALL_TASKS, SomeTasks, with_only
from domain.flow.evolve import BrokenHistory
from domain.flow.ids import FlowId, TaskId
from domain.flow.state import Flow
from domain.flow.values import KEEP

PastRow: TypeAlias = tuple[FlowId, int, TaskId | str, int, bytes]
"""Flow, version, the task of the answer or '', checksum and state."""

INSERT: Final = "INSERT OR REPLACE INTO past_flows VALUES (?,?,?,?,?)"

_MOST_TASKS: Final = 64
"""Of a flow with more of them no state is kept for an answer that lists all."""

_VALUES: Final = ("state_json", "wait_json")
_NO_VALUES: Final[Mapping[str, Any]] = dict.fromkeys(_VALUES)


def past_row(commit: Commit, task_id: TaskId | None) -> PastRow:
    """Return the row of the flow that a request key stands for, with the tasks of its answer.

    A large value that has just changed may change again, so it is kept with the state.
    """
    flow = commit.flow
    is_listed = commit.lists_tasks and flow.task_count <= _MOST_TASKS
    ids = frozenset(() if task_id is None else (task_id,))
    set_now: dict[str, Any] = {
        name: getattr(flow, name)
        for name in _VALUES
        if any(getattr(record.event, name, KEEP) is not KEEP for record in commit.events)
    }
    kept = with_marks(with_only(flow, ALL_TASKS if is_listed else SomeTasks(ids)))
    state = orjson.dumps(to_fields(evolve(kept, **set_now)))
    place = (flow.flow_id, flow.version, task_id or "")
    return (*place, _checksum(*place, state), state)


def past_flow(c: DatabaseCursor, row: Mapping[str, Any]) -> Flow | None:
    """Return the flow of a request key's row that was read with the state kept for it."""
    columns = (row["flow_id"], row["version"], row["task_id"] or "", row["checksum"], row["state"])
    try:
        flow = _kept(columns)
        return None if flow is None else with_values(c, flow)
    except BrokenHistory:  # a large value has changed since then
        return None


def is_right(row: Sequence[Any], flow: Flow | None) -> bool:
    """Say whether a row is of the flow as it was at the row's version."""
    kept = _kept(row)
    if kept is None or flow is None:
        return False
    marked = with_marks(flow)
    values = [(getattr(each, name) for name in _VALUES) for each in (kept, flow, marked)]
    return (
        all(value in choice for value, *choice in zip(*values, strict=True))
        and set(kept.tasks) <= set(flow.tasks)
        and evolve(kept, tasks=(), **_NO_VALUES) == evolve(flow, tasks=(), **_NO_VALUES)
    )


def _kept(row: Sequence[Any]) -> Flow | None:
    flow_id, version, task_id, checksum, state = row
    if type(state) is not bytes or checksum != _checksum(flow_id, version, task_id, state):
        return None
    try:
        flow = from_fields(orjson.loads(state), Flow)
    except (ValueError, Undecodable):
        return None
    return flow if (flow.flow_id, flow.version) == (flow_id, version) else None


def _checksum(flow_id: FlowId, version: int, task_id: str, state: bytes) -> int:
    return crc32(state, crc32(f"{flow_id}\0{version}\0{task_id}".encode()))
