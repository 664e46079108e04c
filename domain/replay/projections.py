"""What a store derived of a flow, held against what the flow's events add up to.

A snapshot that is missing is no finding: it is a cache, which may be deleted at any time and whose
absence changes no answer. One that is there must be right, and the only one.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import AttrsInstance, fields

from domain.flow.ids import FlowId
from domain.flow.state import Flow, flow_stale_since
from domain.history.audit_log import IndexRow, StoredFlow
from domain.replay.findings import Finding, FindingCode


def index_row(flow: Flow, position: int) -> IndexRow:
    """Return the row that the owners' index has of a flow, created at a position of the log."""
    return IndexRow(
        owner=flow.owner,
        position=position,
        status=flow.status.value,
        silent_since=flow_stale_since(flow),
    )


def differences(flow: Flow, examined: StoredFlow) -> Iterator[Finding]:
    """Return what differs from the flow that the events add up to; there is at least one."""
    yield from _snapshot_differs(flow, examined)
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
        yield _of_snapshot(flow, flow.version, sentence)
    for version in examined.older_snapshots:
        yield _of_snapshot(flow, version, "it has a second snapshot, where one is kept")


def _snapshot_faults(flow: Flow, snapshot: Flow | str | None) -> Iterator[str]:
    match snapshot:
        case str():
            yield f"its snapshot cannot be read: {snapshot}"
        case Flow() if snapshot != flow:
            yield f"its snapshot differs in {_differing(snapshot, flow)}"
        case _:
            return


def _of_snapshot(flow: Flow, version: int, sentence: str) -> Finding:
    return Finding(
        code=FindingCode.SNAPSHOT_DIFFERS,
        sentence=sentence,
        flow_id=flow.flow_id,
        version=version,
    )


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
