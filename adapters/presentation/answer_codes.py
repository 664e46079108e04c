"""Every code that an answer without success may have: its status, and when it is answered.

Nobody answers a code that is not in these tables. `docs/actions.md` and `docs/openapi.json` show
them.
"""

from __future__ import annotations

from typing import Final

from attrs import frozen

from domain.application.outcomes import KEY_REUSED
from domain.flow.refusals import RefusalCode

ACTION_NOT_ALLOWED: Final = "action_not_allowed"
"""The code of an action that is not among those of a key."""

UNMAPPABLE: Final = "unmappable"
"""The code of a payload of which a route could make no action."""


@frozen
class AnswerCode:
    """A code, its status in HTTP, when it is answered, and the header that it brings along."""

    status: int
    code: str
    when: str
    header: str | None = None


FLOW_CODES: Final = (
    AnswerCode(
        403,
        RefusalCode.SAME_APPROVER,
        "another key has to resume the flow than the one that let it wait",
    ),
    AnswerCode(404, RefusalCode.NOT_FOUND, "this route's owner has no such flow"),
    AnswerCode(404, RefusalCode.TASK_NOT_FOUND, "the flow has no such task"),
    AnswerCode(
        409,
        RefusalCode.REVISION_CONFLICT,
        "the flow went on since `expectedRevision`; `result.current` shows it",
    ),
    AnswerCode(409, RefusalCode.TERMINAL, "the flow has ended"),
    AnswerCode(409, RefusalCode.CANCEL_REQUESTED, "the flow is being cancelled"),
    AnswerCode(409, RefusalCode.TASK_TERMINAL, "the task has ended"),
    AnswerCode(
        409,
        RefusalCode.CORRELATION_KEY_TAKEN,
        "a live flow has this `correlationKey`; `result.current` shows it",
    ),
    AnswerCode(409, RefusalCode.CREATE_REJECTED, "there is a flow of the id that was made for it"),
)
"""What a request is refused for the sake of a flow; the result may show the flow as it is."""

LINK_NOT_FOUND: Final = "link_not_found"
"""The code of a path that is no resume link's."""

LINK_CODES: Final = (
    AnswerCode(404, LINK_NOT_FOUND, "there is no such resume link"),
    AnswerCode(409, RefusalCode.WAIT_OVER, "the wait that the resume link was for is over"),
    AnswerCode(410, RefusalCode.LINK_USED, "the resume link has been followed before"),
)
"""Why a resume link lets no flow go on."""

ROUTE_CODES: Final = (
    AnswerCode(
        400,
        "invalid_json",
        "the body is not one strict JSON document: duplicate keys, NaN, broken UTF-8, more than 128"
        " levels, an integer of more than 1,000 digits; `error` names the byte and what is wrong"
        " there, counted from the body's first",
    ),
    AnswerCode(400, "invalid_request", "it is JSON, but not a request; `error` names the field"),
    AnswerCode(401, "unauthorized", "the secret, or the signature, is missing or wrong"),
    AnswerCode(403, ACTION_NOT_ALLOWED, "the key may not use this action (ours: see `may`)"),
    AnswerCode(404, "route_not_found", "no route has this path"),
    AnswerCode(
        415,
        "unsupported_media_type",
        "not `application/json` or `…+json` (nor a form, where a map takes one), or a content"
        " encoding; `error` says what came",
    ),
    AnswerCode(422, KEY_REUSED, "the idempotency key stands for another request"),
    AnswerCode(
        422,
        UNMAPPABLE,
        "the route's map finds nothing for a placeholder, or makes of the payload what no action"
        " takes; `error` names it (ours)",
    ),
    AnswerCode(
        429,
        "rate_limited",
        "too many requests of a client on a route, by default 120 in 60 s; see `Retry-After`",
        "Retry-After",
    ),
    AnswerCode(
        429,
        "too_many_in_flight",
        "too many at once, by default 8; an answer counts until it is taken; see `Retry-After`",
        "Retry-After",
    ),
    AnswerCode(
        503,
        "persist_failed",
        "the disk did not take it; nothing has happened; see `Retry-After`",
        "Retry-After",
    ),
)
PROBE_CODES: Final = (
    AnswerCode(503, "not_ready", "`GET /readyz` only: send no requests here now", "Retry-After"),
)
GENERAL_CODES: Final = (
    AnswerCode(
        400,
        "bad_request",
        "the request is not HTTP as it should be, or its sender stopped before its end; the"
        " connection is closed",
    ),
    AnswerCode(405, "method_not_allowed", "a route takes only POST, a probe only GET", "Allow"),
    AnswerCode(408, "request_timeout", "head or body took longer than it may"),
    AnswerCode(
        413,
        "payload_too_large",
        "more than 256 KiB (by default) of body, or of JSON values as they are stored: `1e20` has"
        " 21 digits",
    ),
    AnswerCode(417, "expectation_failed", "an `Expect` other than `100-continue`"),
    AnswerCode(431, "headers_too_large", "too much head"),
    AnswerCode(500, "internal_error", "a fault of ours; the log has it under the request id"),
    AnswerCode(501, "not_implemented", "a transfer coding other than `chunked`"),
)

ANSWER_CODES: Final = {
    each.code: each
    for each in (*FLOW_CODES, *LINK_CODES, *ROUTE_CODES, *PROBE_CODES, *GENERAL_CODES)
}
_CONFLICT: Final = 409


def http_status(code: str) -> int:
    """Return the status of the answer to a request that was refused with a code.

    NOTE: codes of other releases stand in what is stored of refusals.
    """
    known = ANSWER_CODES.get(code)
    return _CONFLICT if known is None else known.status
