"""Where flows stand in a log, kept at little cost while it is read.

Owner, status and revision depend on no task and on none of a caller's texts: a flow can be
carried through a log of a million events without them.
"""

from __future__ import annotations

from attrs import evolve as replace

from domain.audit.history import step_from
from domain.flow import Flow
from domain.records import Record


def standing_after(flow: Flow | None, record: Record) -> Flow:
    """Return where a flow stands after its next record: without tasks and callers' texts.

    Raises:
        BrokenHistory: if it cannot be the next one.
    """
    return replace(
        step_from(flow, record).after,
        controller_id="",
        goal="",
        current_step=None,
        state_json=None,
        wait_json=None,
        blocked_task_id=None,
        blocked_summary=None,
        tasks=(),
    )
