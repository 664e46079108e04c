"""Advice: what deserves a look in a healthy store, as some flows wait for years and are well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from domain.flow.events import FlowBecameBlocked, FlowFailed
from domain.flow.ids import TaskId
from domain.flow.state import Flow, cancel_pending
from domain.flow.status import FlowStatus
from domain.flow.task import find_task
from domain.flow.values import BLANKS, KEEP, Timestamp
from domain.history.audit_log import StoredFlow
from domain.replay.decisions import RecordedDecision
from domain.replay.findings import Advice, AdviceCode

_REASONS: Final = {FlowStatus.WAITING: "waits", FlowStatus.BLOCKED: "is blocked"}


def advice(flow: Flow, examined: StoredFlow, stuck_before: Timestamp) -> Iterator[Advice]:
    """Return advice on a flow: that it looks stuck, that its snapshot or its view was deleted.

    It looks stuck if it waits, is blocked or is to be cancelled, and its latest event, be it one
    about a child, is of `stuck_before` or earlier.
    """
    reason = "is to be cancelled" if cancel_pending(flow) else _REASONS.get(flow.status)
    if reason is not None and flow.latest_at <= stuck_before:
        yield Advice(
            code=AdviceCode.STUCK,
            sentence=f"it {reason}, and nothing has happened to it since",
            flow_id=flow.flow_id,
            status=flow.status,
            since=flow.latest_at,
        )
    if examined.snapshot is None:
        sentence = "its snapshot was deleted; each time it is folded from all its events"
        yield Advice(code=AdviceCode.SNAPSHOT_MISSING, sentence=sentence, flow_id=flow.flow_id)
    if examined.shows is None:
        sentence = "the row of what callers are shown was deleted; it is rendered for each of them"
        yield Advice(code=AdviceCode.VIEW_MISSING, sentence=sentence, flow_id=flow.flow_id)


def blocked_task_advice(flow: Flow | None, decided: RecordedDecision) -> Iterator[Advice]:
    """Return advice on a decision that names the task in the way, if the flow had no such task.

    Callers may name any task there, as in the reference; a wrong one misleads an operator.
    """
    for read in decided:
        event = read.record.event
        if not isinstance(event, FlowBecameBlocked | FlowFailed) or flow is None:
            continue
        task_id = event.blocked_task_id
        if task_id is KEEP or task_id is None or not task_id.strip(BLANKS):
            continue  # it names none
        if find_task(flow.tasks, TaskId(task_id)) is None:
            verb = "was blocked" if isinstance(event, FlowBecameBlocked) else "failed"
            yield Advice(
                code=AdviceCode.BLOCKED_TASK_MISSING,
                sentence=f"it {verb} on the task {task_id[:60]!r}, which it did not have",
                flow_id=flow.flow_id,
                version=read.entry.version,
            )
