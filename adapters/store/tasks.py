"""The child tasks of a flow, a row each, so that a command loads and writes only those it concerns.

They are a cache as the snapshot is, and part of it: a trigger deletes the snapshot of a flow that
loses a row, so that the flow is folded from its events.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias
from zlib import crc32

import orjson

from adapters.store.codec import Undecodable, from_fields, to_fields
from adapters.store.database import DatabaseCursor
from adapters.store.many_rows import execute_rows
from domain.flow.concerned import ActiveTasks, AllTasks, TaskSelection
from domain.flow.evolve import BrokenHistory
from domain.flow.ids import FlowId, TaskId
from domain.flow.state import Flow
from domain.flow.task import Task, is_active, stale_since
from domain.flow.values import Timestamp

TaskRow: TypeAlias = tuple[FlowId, int, TaskId, str | None, Timestamp | None, int, bytes]
"""Flow, number within the flow, id, run, since when an active one has no news, checksum, state."""

INSERT: Final = "INSERT OR REPLACE INTO flow_tasks VALUES (?,?,?,?,?,?,?)"
_INSERT_NEW: Final = "INSERT INTO flow_tasks VALUES (?,?,?,?,?,?,?)"
UPDATE: Final = (
    "UPDATE flow_tasks SET stale_since=?, checksum=?, state=? WHERE flow_id=? AND task_id=?"
)
DELETE: Final = "DELETE FROM flow_tasks WHERE flow_id=?"
_NEVER: Final = (1 << 63) - 1
_ALL: Final = "SELECT * FROM flow_tasks WHERE flow_id=? ORDER BY number"
# PERF: asked for whole rows, SQLite prefers the primary key to an index, and reads all of the flow.
_SOME: Final = (
    "SELECT * FROM flow_tasks WHERE (flow_id, number) IN"
    " (SELECT flow_id, number FROM flow_tasks WHERE flow_id=? AND {}) ORDER BY number"
)
_BY_ID: Final = _SOME.format("task_id=?")
_STALE: Final = _SOME.format("stale_since<=?")
_BY_RUN: Final = _SOME.format("run_id=?")


def task_rows(flow: Flow) -> Sequence[TaskRow]:
    """Return the rows of a whole flow."""
    return [_row(flow.flow_id, number, task) for number, task in enumerate(flow.tasks)]


def write_all(c: DatabaseCursor, flow: Flow) -> None:
    """Leave exactly the rows of a whole flow."""
    c.execute(DELETE, (flow.flow_id,))
    c.executemany(INSERT, task_rows(flow))


def write_changed(c: DatabaseCursor, changed: Sequence[tuple[bool, TaskRow]]) -> None:
    """Write the rows of tasks that changed, those that are new and those that are there."""
    new = [row for is_new, row in changed if is_new]
    try:
        execute_rows(c, _INSERT_NEW, new)
    except sqlite3.IntegrityError:  # rows that nobody of us wrote are in their place
        c.executemany(INSERT, new)
    for is_new, (flow_id, _, task_id, _, *columns) in changed:
        if not is_new:
            c.execute(UPDATE, (*columns, flow_id, task_id))


def changed_rows(
    flow: Flow, changed: Iterable[TaskId], linked: int
) -> Iterator[tuple[bool, TaskRow]]:
    """Give the rows of those tasks that changed, and whether each is new: others lack a number."""
    old, new = flow.tasks[: len(flow.tasks) - linked], flow.tasks[len(flow.tasks) - linked :]
    for number, task in enumerate(new, flow.task_count - linked):
        yield True, _row(flow.flow_id, number, task)
    ids = set(changed)
    for task in old:
        if task.task_id in ids:
            yield False, _row(flow.flow_id, 0, task)


def read_tasks(c: DatabaseCursor, flow: Flow, selection: TaskSelection) -> tuple[Task, ...]:
    """Return the tasks of a flow that are selected.

    Raises:
        Undecodable, BrokenHistory: if the rows are not what we wrote.
    """
    if isinstance(selection, AllTasks):
        tasks = tuple(task for _, task in _read(c, _ALL, flow.flow_id))
        if len(tasks) != flow.task_count:
            raise BrokenHistory(f"{len(tasks)} rows of {flow.task_count} tasks are there")
        return tasks
    found: dict[int, Task] = {}
    if isinstance(selection, ActiveTasks):
        found |= _read(c, _STALE, flow.flow_id, _moment(selection))
        return tuple(found.values())
    for task_id in selection.ids:
        found |= _read(c, _BY_ID, flow.flow_id, task_id)
    for run_id in selection.runs:
        found |= _read(c, _BY_RUN, flow.flow_id, run_id)
    return tuple(found[number] for number in sorted(found))


def _read(c: DatabaseCursor, query: str, *params: str | int) -> Iterator[tuple[int, Task]]:
    c.execute(query, params)
    for flow_id, number, *columns in c.fetchall():
        try:
            task = from_fields(orjson.loads(columns[-1]), Task)
        except ValueError as error:
            raise Undecodable(f"the row of task {columns[0]}: {error}") from error
        if tuple(columns) != _row(flow_id, number, task, columns[-1])[2:]:
            raise Undecodable(f"the row of task {columns[0]} is not as it was written")
        yield number, task


def _moment(selection: ActiveTasks) -> Timestamp:
    return _NEVER if selection.stale_before is None else selection.stale_before


def _row(flow_id: FlowId, number: int, task: Task, state: bytes | None = None) -> TaskRow:
    state = orjson.dumps(to_fields(task)) if state is None else state
    stale = stale_since(task) if is_active(task) else None
    checksum = crc32(state, crc32(f"{flow_id}\0{task.task_id}".encode()))
    return (flow_id, number, task.task_id, task.run_id, stale, checksum, state)
