"""The permanent names of stored events.

A name is written beside every event for ever; it does not depend on where a class lives or how it
is called. A changed event gets a new name (`...v2`) and an upcaster from the old one.
"""

from __future__ import annotations

from typing import Final

from domain.flow import events as e

SNAPSHOT: Final = "taskflow.flow_snapshot.v1"

NAMES: Final[dict[type[e.Event], str]] = {
    e.FlowCreated: "taskflow.flow_created.v1",
    e.FlowBeganWaiting: "taskflow.flow_began_waiting.v1",
    e.FlowBecameBlocked: "taskflow.flow_became_blocked.v1",
    e.FlowResumed: "taskflow.flow_resumed.v1",
    e.FlowSucceeded: "taskflow.flow_succeeded.v1",
    e.FlowFailed: "taskflow.flow_failed.v1",
    e.FlowCancelRequested: "taskflow.flow_cancel_requested.v1",
    e.FlowCancelled: "taskflow.flow_cancelled.v1",
    e.TaskLinked: "taskflow.task_linked.v1",
    e.TaskDescribed: "taskflow.task_described.v1",
    e.TaskStarted: "taskflow.task_started.v1",
    e.TaskProgressed: "taskflow.task_progressed.v1",
    e.TaskEnded: "taskflow.task_ended.v1",
}

CLASSES: Final = {name: event for event, name in NAMES.items()}
