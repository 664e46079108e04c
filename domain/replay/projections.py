"""The rows that follow from a flow's events, and how they are compared with those of a store.

The writer, the rebuild and the replay of a store all derive them here. A snapshot, which is the
flow that the events add up to, may be missing: it is a cache, which may be deleted at any time and
whose absence changes no answer; so is the row of what callers are shown. One that is there must be
right, and the only one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from attrs import AttrsInstance, evolve, fields

from domain.application.ports import itself
from domain.application.recorded_events import RecordedEvent, RequestKey
from domain.flow.decide import may_decide_nothing
from domain.flow.events import (
    FlowBecameBlocked,
    FlowBeganWaiting,
    TaskDescribed,
    TaskEnded,
    TaskLinked,
    TaskProgressed,
    TaskStarted,
)
from domain.flow.evolve import fold
from domain.flow.ids import FlowId, KeyId, RouteId, TaskId
from domain.flow.state import Flow, flow_stale_since
from domain.flow.task_counts import NO_TASKS
from domain.history.audit_log import IndexRow, LinkRow, RequestKeyRow, StoredFlow
from domain.replay.decisions import decisions
from domain.replay.findings import Finding, FindingCode


def index_row(flow: Flow, position: int) -> IndexRow:
    """Return the row that the owners' index has of a flow, created at a position of the log."""
    return IndexRow(
        owner=flow.owner,
        position=position,
        status=flow.status.value,
        silent_since=flow_stale_since(flow),
        until=flow.until,
    )


def request_key_row(decision: Sequence[RecordedEvent]) -> RequestKeyRow | None:
    """Return the row of the request key that a decision's events came with, if they did."""
    last = decision[-1]
    data = last.metadata
    if data.idempotency_key is None or data.request_hash is None:
        return None
    return RequestKeyRow(
        route_id=RouteId(data.actor.name),
        key=data.idempotency_key,
        request_hash=data.request_hash,
        flow_id=last.flow_id,
        version=last.version,
        task_id=next((task for record in decision if (task := _task_id(record))), None),
    )


def request_key_rows(stream: Iterable[RecordedEvent]) -> Iterator[RequestKeyRow]:
    """Return the rows of the request keys that the events of a stream came with."""
    rows = (request_key_row(decision) for decision in decisions(stream, itself))
    return (row for row in rows if row is not None)


def link_rows(stream: Iterable[RecordedEvent]) -> Sequence[LinkRow]:
    """Return the rows of the resume links that were made with the events of a stream."""
    rows: dict[str, LinkRow] = {}
    for record in stream:
        event, actor = record.event, record.metadata.actor
        if isinstance(event, FlowBeganWaiting | FlowBecameBlocked) and isinstance(
            event.link_hash, str
        ):
            rows[event.link_hash] = LinkRow(
                link_hash=event.link_hash,
                flow_id=record.flow_id,
                route_id=RouteId(actor.name),
                key_id=actor.key_id or KeyId(""),
            )
    return list(rows.values())


def eventless_key_row(key: RequestKey, flow: Flow, task_id: TaskId | None) -> RequestKeyRow:
    """Return the row of a request that was accepted without an event: it follows from none."""
    return RequestKeyRow(
        route_id=key.route_id,
        key=key.key,
        request_hash=key.request_hash,
        flow_id=flow.flow_id,
        version=flow.version,
        task_id=task_id,
    )


def came_with(record: RecordedEvent, row: RequestKeyRow) -> bool:
    """Say whether an event came with the request key of a row."""
    data = record.metadata
    return (data.actor.name, data.idempotency_key) == (row.route_id, row.key)


def needed_no_event(until: Iterable[RecordedEvent], row: RequestKeyRow) -> bool:
    """Say whether a row may be of an accepted request that led to no event on a flow as it was.

    Raises:
        BrokenHistory: if the events until then do not add up.
    """
    flow = fold(None, [record.event for record in until])
    return flow is not None and may_decide_nothing(flow, row.task_id)


def _task_id(record: RecordedEvent) -> TaskId | None:
    match record.event:
        case TaskLinked() | TaskDescribed() | TaskStarted() | TaskProgressed() | TaskEnded():
            return record.event.task_id
        case _:
            return None


def differences(flow: Flow, examined: StoredFlow) -> Iterator[Finding]:
    """Return what differs from the flow that the events add up to; there is at least one."""
    yield from _snapshot_differs(flow, examined)
    if examined.has_tasks_of is not None and not examined.has_tasks_of(flow):
        sentence = "the rows of its tasks are not those of its events"
        yield _of_derived(FindingCode.TASKS_DIFFER, flow, flow.version, sentence)
    if examined.shows is not None and not examined.shows(flow):
        sentence = "the row of what callers are shown is not that of its events"
        yield _of_derived(FindingCode.VIEW_DIFFERS, flow, flow.version, sentence)
    if examined.is_found_as is not None and not examined.is_found_as(flow):
        sentence = "what lists and its correlation key find it by is not that of its events"
        yield _of_derived(FindingCode.FILTERS_DIFFER, flow, flow.version, sentence)
    due = index_row(flow, examined.entries[0].position)
    if examined.index is None:
        yield _missing(flow)
    elif examined.index != due:
        yield Finding(
            code=FindingCode.INDEX_DIFFERS,
            sentence=f"its index row differs in {_differing(examined.index, due)}",
            flow_id=flow.flow_id,
            position=due.position,
        )


def _missing(flow: Flow) -> Finding:
    sentence = "it has no row in the index, so that its owner cannot find it"
    return Finding(code=FindingCode.INDEX_MISSING, sentence=sentence, flow_id=flow.flow_id)


def _snapshot_differs(flow: Flow, examined: StoredFlow) -> Iterator[Finding]:
    for sentence in _snapshot_faults(flow, examined.snapshot):
        yield _of_derived(FindingCode.SNAPSHOT_DIFFERS, flow, flow.version, sentence)
    for version in examined.older_snapshots:
        sentence = "it has a second snapshot, where one is kept"
        yield _of_derived(FindingCode.SNAPSHOT_DIFFERS, flow, version, sentence)


def _snapshot_faults(flow: Flow, snapshot: Flow | str | None) -> Iterator[str]:
    match snapshot:
        case str():
            yield f"its snapshot cannot be read: {snapshot}"
        case Flow() if snapshot != (due := _as_kept(flow, snapshot)):
            yield f"its snapshot differs in {_differing(snapshot, due)}"
        case _:
            return


def _as_kept(flow: Flow, snapshot: Flow) -> Flow:
    """Return a flow as its snapshot holds it: without tasks, or as an older release wrote it."""
    if snapshot.tasks:
        return evolve(flow, counts=NO_TASKS)
    return evolve(flow, tasks=())


def _of_derived(code: FindingCode, flow: Flow, version: int, sentence: str) -> Finding:
    return Finding(code=code, sentence=sentence, flow_id=flow.flow_id, version=version)


def _differing(found: AttrsInstance, due: AttrsInstance) -> str:
    names = [field.name for field in fields(type(due))]
    return ", ".join(name for name in names if getattr(found, name) != getattr(due, name))


def orphans(flow_id: FlowId, examined: StoredFlow) -> Iterator[Finding]:
    """Return the rows of a flow that has no events."""
    rows = {"a snapshot": examined.snapshot, "an index row": examined.index}
    for name, row in rows.items():
        if row is not None:
            yield Finding(
                code=FindingCode.ORPHAN_ROW,
                sentence=f"there is {name} of this flow, but no event",
                flow_id=flow_id,
            )
