"""The nine actions that write, as they are refused when nothing can be written."""

from __future__ import annotations

from attrs import frozen

from tests.whole.callers import Document

REVISED = ("set_waiting", "resume_flow", "finish_flow", "fail_flow", "request_cancel")
UNSAVED_FLOW = "TaskFlow persistence failed."
UNSAVED_CANCEL = "Flow persistence failed."
UNSAVED_TASK = "Task persistence failed."


@frozen
class RefusedWrite:
    """A request, and the sentence and the result that refuse it."""

    document: Document
    error: str
    result: Document

    @property
    def envelope(self) -> Document:
        """The whole refusal, in the order of the wire."""
        return {
            "ok": False,
            "routeId": "zapier",
            "code": "persist_failed",
            "error": self.error,
            "result": self.result,
        }


def refused_writes(flow: Document, task: Document) -> tuple[RefusedWrite, ...]:
    """Return a request of each action, about a flow with one child, with its refusal."""
    at = {"flowId": flow["flowId"]}
    unapplied = {"applied": False, "code": "persist_failed", "current": flow}
    return (
        RefusedWrite(
            {"action": "create_flow", "goal": "in vain"},
            UNSAVED_FLOW,
            {"created": False, "code": "persist_failed"},
        ),
        *(
            RefusedWrite({"action": action, **at, "expectedRevision": 0}, UNSAVED_FLOW, unapplied)
            for action in REVISED
        ),
        RefusedWrite(
            {"action": "cancel_flow", **at},
            UNSAVED_CANCEL,
            {**_found(cancelled=False), "reason": UNSAVED_CANCEL, "flow": flow, "tasks": [task]},
        ),
        RefusedWrite(
            {"action": "run_task", **at, "runtime": "acp", "task": "in vain"},
            UNSAVED_TASK,
            {**_found(created=False), "reason": UNSAVED_TASK, "flow": flow},
        ),
        RefusedWrite(
            {"action": "update_task", **at, "taskId": task["taskId"], "status": "succeeded"},
            UNSAVED_TASK,
            {**_found(updated=False), "reason": UNSAVED_TASK, "flow": flow},
        ),
    )


def _found(**done: bool) -> Document:
    return {"found": True, **done}
