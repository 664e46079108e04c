"""What we add to the recorded contract: fields, actions, codes, paths and headers, and why.

Whatever is neither recorded nor listed here is a mistake. `update_task` as a whole is ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Reasons = Mapping[str, str]

_BY_KEY: Final = {"correlationKey": "names a flow by what its sender knows"}

REQUEST_FIELDS: Final[Mapping[str, Reasons]] = {
    **dict.fromkeys(
        (
            *("create_flow", "get_flow", "find_latest_flow", "resolve_flow", "get_task_summary"),
            *("finish_flow", "fail_flow", "request_cancel", "cancel_flow", "run_task"),
        ),
        _BY_KEY,
    ),
    "set_waiting": {
        **_BY_KEY,
        "until": "ends the wait by time",
        "onTimeout": "says how it ends then",
        "resumeLink": "ends it by a link",
    },
    "resume_flow": {**_BY_KEY, "early": "keeps a resume for the wait to come"},
    "list_flows": {
        **dict.fromkeys(("limit", "cursor"), "D9: a list has pages"),
        **dict.fromkeys(("status", "controllerId", "currentStep", "updatedSince"), "filters it"),
        "correlationKey": "filters it too",
    },
}
"""Beyond those of each recorded action."""

ACTIONS: Final[Reasons] = {"update_task": "D11: reports a child's progress and end"}

SHOWN: Final[Mapping[str, Reasons]] = {
    "Success": {},
    "Skipped": {"skipped": "no rule of a route's map is for it"},
    "Flow": {**_BY_KEY, "until": "when the wait ends", "onTimeout": "and how"},
    "Task": dict.fromkeys(("terminalOutcome", "terminalSummary"), "D11: its end is reported"),
    "TaskSummary": {},
    "results": {
        "nextCursor": "D9: where the next page begins",
        "resumeLink": "the link's path",
        "tasksOmitted": "an answer has an end",
        "updated": "D11: of update_task",
    },
}
"""Members of views and of results."""

CODES: Final[Reasons] = {
    **dict.fromkeys(
        (
            *("bad_request", "invalid_json", "unauthorized", "route_not_found", "internal_error"),
            *("method_not_allowed", "request_timeout", "payload_too_large", "headers_too_large"),
            *("unsupported_media_type", "rate_limited", "too_many_in_flight"),
            *("expectation_failed", "not_implemented"),
        ),
        "D2, D20: plain text or a closed connection, as the reference answers it",
    ),
    **dict.fromkeys(("create_rejected", "persist_failed"), "documented, and in no recording"),
    **dict.fromkeys(("task_not_found", "task_terminal"), "D11: refusals of update_task"),
    "idempotency_key_reused": "D18",
    "correlation_key_taken": "a live flow has the key",
    "action_not_allowed": "a key may do other things only",
    "same_approver": "who lets a flow wait may not resume it",
    "wait_over": "a wait ends once",
    **dict.fromkeys(("link_used", "link_not_found"), "refusals of a resume link"),
    "unmappable": "of a route with a map",
    "not_ready": "of /readyz",
}

PATHS: Final[Reasons] = {
    "/healthz": "whether the process lives",
    "/readyz": "whether it can serve",
    "/resume/{token}": "follows a resume link",
}

HEADERS: Final[Reasons] = {
    "X-Request-Id": "names a request in the log and on its events",
    "Idempotent-Replayed": "D18",
    "Retry-After": "when to try again",
    **dict.fromkeys(("RateLimit", "RateLimit-Policy"), "what is left of a route's rate"),
}
"""Of answers."""
