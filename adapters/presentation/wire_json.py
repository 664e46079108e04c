"""The domain's views as they stand on the wire: camelCase, in one order, nothing shown as null.

The keys and their order are the reference's; owners have no place in them.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import orjson
from orjson import Fragment

from domain.application.views import FlowView, TaskSummary, TaskView
from domain.flow.state import Flow
from domain.flow.values import Json

WireObject: TypeAlias = dict[str, Any]

FLOW_FORMAT: Final = 1
"""Counts the changes of what `render_flow` returns: a store renders its rows again after one."""


def render_flow(flow: Flow) -> bytes:
    """Return the JSON of a flow as callers see it."""
    return orjson.dumps(flow_json(flow))


def flow_json(flow: FlowView | Flow) -> WireObject:
    """Show a flow."""
    return _present(
        flowId=flow.flow_id,
        syncMode="managed",
        controllerId=flow.controller_id,
        correlationKey=flow.correlation_key,
        currentStep=flow.current_step,
        blockedTaskId=flow.blocked_task_id,
        blockedSummary=flow.blocked_summary,
        revision=flow.revision,
        status=flow.status,
        notifyPolicy=flow.notify_policy,
        goal=flow.goal,
        stateJson=_embedded(flow.state_json),
        waitJson=_embedded(flow.wait_json),
        until=flow.until,
        onTimeout=flow.on_timeout,
        cancelRequestedAt=flow.cancel_requested_at,
        createdAt=flow.created_at,
        updatedAt=flow.updated_at,
        endedAt=flow.ended_at,
    )


def task_json(task: TaskView) -> WireObject:
    """Show a child task."""
    return _present(
        taskId=task.task_id,
        runtime=task.runtime,
        sourceId=task.source_id,
        childSessionKey=task.child_session_key,
        parentFlowId=task.parent_flow_id,
        parentTaskId=task.parent_task_id,
        agentId=task.agent_id,
        runId=task.run_id,
        label=task.label,
        error=task.error,
        progressSummary=task.progress_summary,
        terminalSummary=task.terminal_summary,
        terminalOutcome=task.terminal_outcome,
        scopeKind="session",
        task=task.task,
        status=task.status,
        deliveryStatus="pending",
        notifyPolicy=task.notify_policy,
        createdAt=task.created_at,
        startedAt=task.started_at,
        endedAt=task.ended_at,
        lastEventAt=task.last_event_at,
        cleanupAfter=task.cleanup_after,
    )


def summary_json(summary: TaskSummary) -> WireObject:
    """Show the counts of a flow's tasks."""
    return {
        "total": summary.total,
        "active": summary.active,
        "terminal": summary.terminal,
        "failures": summary.failures,
        "byStatus": summary.by_status,
        "byRuntime": summary.by_runtime,
    }


def _present(**shown: object) -> WireObject:
    return {key: value for key, value in shown.items() if value is not None}


def _embedded(json: Json | None) -> Fragment | None:
    # PERF: the text is embedded as it is stored, not read and written again.
    return None if json is None else Fragment(json.text)
