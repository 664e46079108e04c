"""The permanent names of stored events, and how those under a former name are read.

A name is written beside every event for ever; it does not depend on where a class lives or how it
is called. A changed event gets a new name (`...v2`) and an upcaster from the old one: it takes the
fields of an event under the old name and returns those under the next; the stored bytes stay as
they are. There is no former name yet; the golden bytes of every released name are kept in
`tests/store/golden/` and must load for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from adapters.store.codec import StoredFields
from domain.flow import events as e

SNAPSHOT: Final = "taskflow.flow_snapshot.v1"

NAMES: Final[dict[type[e.Event], str]] = {
    e.FlowCreated: "taskflow.flow_created.v1",
    e.FlowBeganWaiting: "taskflow.flow_began_waiting.v1",
    e.FlowBecameBlocked: "taskflow.flow_became_blocked.v1",
    e.FlowResumed: "taskflow.flow_resumed.v1",
    e.FlowResumeKept: "taskflow.flow_resume_kept.v1",
    e.FlowResumedByLink: "taskflow.flow_resumed_by_link.v1",
    e.FlowWaitExpired: "taskflow.flow_wait_expired.v1",
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

Upcaster: TypeAlias = Callable[[StoredFields], StoredFields]

UPCASTERS: Final[Mapping[str, tuple[str, Upcaster]]] = {}
"""Former name -> (the name after it, what turns the fields into those of that name)."""


def upcast(
    name: str, fields: StoredFields, steps: Mapping[str, tuple[str, Upcaster]] = UPCASTERS
) -> tuple[str, StoredFields]:
    """Return the present name and fields of an event that may be stored under a former name."""
    while name in steps:
        name, step = steps[name]
        fields = step(fields)
    return name, fields
