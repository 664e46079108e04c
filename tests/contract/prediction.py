"""What our rules answer where the reference's flow went another way.

Reads are told from the ledger. Of commands only those are told whose answer follows from it:
on a flow that does not exist here, and on one that has ended, where every command is refused.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, TypeAlias

from attrs import frozen

from tests.contract.comparison import Text
from tests.contract.expected import Expected, refusal, success
from tests.contract.ledger import ACTIVE, Flow, Ledger
from tests.contract.routes import Route

Ask: TypeAlias = Mapping[str, Any]

REVISIONED = ("set_waiting", "resume_flow", "finish_flow", "fail_flow", "request_cancel")
PAGE = 1000
TASK_STATUSES = ("queued", "running", "succeeded", "failed", "timed_out", "cancelled", "lost")
RUNTIMES = ("subagent", "acp", "cli", "cron")
FAILURES = ("failed", "timed_out", "lost")


@frozen
class Predictor:
    """Tells answers for one route from what was seen."""

    ledger: Ledger
    route: Route

    def answer(self, ask: Ask) -> Expected | None:
        """Tell the answer to a valid request, None where it does not follow from what was seen."""
        action = ask.get("action")
        if action == "list_flows":
            return self.page(ask)
        if action in ("get_flow", "find_latest_flow", "resolve_flow", "get_task_summary"):
            return success(self.route.route_id, self._read(action, ask))
        return self._command(str(action), ask)

    def page(self, ask: Ask) -> Expected:
        """Tell a page of the owner's flows: of one status where one is asked for, newest first."""
        wanted = ask.get("status")
        views = self.ledger.newest_first(self.route.owner)
        flows = [view for view in views if wanted in (None, view["status"])]
        limit = int(ask.get("limit", PAGE))
        more = {"nextCursor": Text()} if len(flows) > limit else {}
        return success(self.route.route_id, {"flows": flows[:limit], **more})

    def _read(self, action: object, ask: Ask) -> dict[str, object]:
        match action:
            case "find_latest_flow":
                return {"flow": self._latest()}
            case "resolve_flow" if str(ask["token"]).strip() == self.route.owner:
                return {"flow": self._latest()}
            case "get_task_summary":
                flow = self._flow(ask)
                return {"summary": flow and summary(flow)}
            case _:
                flow = self._flow(ask)
                return {"flow": flow and flow.view}

    def _flow(self, ask: Ask) -> Flow | None:
        return self.ledger.find(self.route.owner, ask.get("flowId", ask.get("token")))

    def _latest(self) -> dict[str, Any] | None:
        return next(iter(self.ledger.newest_first(self.route.owner)), None)

    def _command(self, action: str, ask: Ask) -> Expected | None:
        if action not in (*REVISIONED, "cancel_flow", "run_task"):
            return None
        flow = self._flow(ask)
        if flow is None:
            return self._refuse(404, "not_found", "TaskFlow not found.", absent(action))
        return self._on_ended(flow, action, ask) if flow.is_terminal else None

    def _on_ended(self, flow: Flow, action: str, ask: Ask) -> Expected:
        ended = f"Flow is already {flow.view['status']}."
        if action == "run_task" and "cancelRequestedAt" in flow.view:
            reason = "Flow cancellation has already been requested."
            return self._refuse(409, "cancel_requested", reason, not_created(flow, reason))
        if action == "run_task":
            return self._refuse(409, "terminal", ended, not_created(flow, ended))
        if action == "cancel_flow":
            return self._refuse(409, "terminal", ended, not_cancelled(flow, ended))
        if ask["expectedRevision"] != flow.view["revision"]:
            changed = "TaskFlow changed since the caller's expected revision."
            return self._refuse(409, "revision_conflict", changed, not_applied(flow, CONFLICT))
        return self._refuse(409, "terminal", ended, not_applied(flow, "terminal"))

    def _refuse(self, status: int, code: str, error: str, result: object) -> Expected:
        return refusal(status, code, route_id=self.route.route_id, error=error, result=result)


CONFLICT = "revision_conflict"


def absent(action: str) -> dict[str, object]:
    """Shape the result for a flow that is not there."""
    match action:
        case "cancel_flow":
            return {"found": False, "cancelled": False, "reason": "Flow not found."}
        case "run_task":
            return {"found": False, "created": False, "reason": "Flow not found."}
        case _:
            return {"applied": False, "code": "not_found"}


def not_applied(flow: Flow, code: str) -> dict[str, object]:
    """Shape the result of a refused mutation."""
    return {"applied": False, "code": code, "current": flow.view}


def not_created(flow: Flow, reason: str) -> dict[str, object]:
    """Shape the result of a refused child."""
    return {"found": True, "created": False, "reason": reason, "flow": flow.view}


def not_cancelled(flow: Flow, reason: str) -> dict[str, object]:
    """Shape the result of a refused cancellation."""
    told = {"found": True, "cancelled": False, "reason": reason, "flow": flow.view}
    last_first = reversed(flow.tasks.values())
    return {**told, "tasks": sorted(last_first, key=lambda task: -task["createdAt"])}


def summary(flow: Flow) -> dict[str, object]:
    """Count a flow's children as `get_task_summary` does."""
    statuses = Counter(task["status"] for task in flow.tasks.values())
    runtimes = Counter(task["runtime"] for task in flow.tasks.values())
    active = sum(statuses[status] for status in ACTIVE)
    return {
        "total": statuses.total(),
        "active": active,
        "terminal": statuses.total() - active,
        "failures": sum(statuses[status] for status in FAILURES),
        "byStatus": {status: statuses[status] for status in TASK_STATUSES},
        "byRuntime": {runtime: runtimes[runtime] for runtime in RUNTIMES},
    }
