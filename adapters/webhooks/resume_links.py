"""Resume links: whoever has one may let one flow go on, once, without a key of any route.

APPSEC: a link is 256 random bits in a path. Only its SHA-256 is kept, and no log has the path. It
is followed by POST alone: programs that look at links in mails and chats send GET and HEAD.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import orjson
from attrs import evolve

from adapters.presentation.answer_codes import LINK_NOT_FOUND
from adapters.webhooks import responses
from adapters.webhooks.json_schema import NO, TEXT, YES, an_object
from adapters.webhooks.responses import ActionResult, Response
from domain.application.outcomes import Accepted, Outcome
from domain.flow.status import FlowStatus

PREFIX: Final = "/resume/"
"""What the path of every link begins with."""

BODY_BYTES: Final = 1024
ACTION: Final = "follow_link"
"""What the access log calls it."""

COUNTED_AS: Final = " links"
"""Stands for a route where requests are counted; no route's id begins with a blank."""

NewToken: TypeAlias = Callable[[], str]
"""Returns 256 random bits as a text that may stand in a path."""

NOT_FOUND: Final = responses.unrouted(LINK_NOT_FOUND, "Not Found")
BODY_REFUSED: Final = responses.unrouted(
    "invalid_request", "a link is followed with an empty body, or with {}"
)
UNSAVED: Final = evolve(
    responses.unrouted(responses.PERSIST_FAILED, "TaskFlow persistence failed."),
    headers=responses.STORE_RETRY,
)


_STATUS: Final = an_object("FollowedFlow", {"status": {"type": "string", "enum": list(FlowStatus)}})
SHOWS: Final = an_object("LinkFollowed", {"applied": YES, "flow": _STATUS})
SHOWS_REFUSED: Final = an_object("LinkRefused", {"applied": NO, "code": TEXT, "current": _STATUS})


def path_of(token: str) -> str:
    """Return the path of a link."""
    return PREFIX + token


def hash_of(token: str) -> str:
    """Return what is kept of a link, in hex."""
    return hashlib.sha256(token.encode("latin-1", "replace")).hexdigest()


def is_empty(body: bytes) -> bool:
    """Say whether a body says nothing; a link has no place for what one says."""
    return body.strip() in {b"", b"{}"}


def followed(outcome: Outcome) -> Response:
    """Answer what became of a link; who follows it is shown no more of the flow than its status."""
    flow = outcome.flow
    status: dict[str, Any] = {} if flow is None else {"status": flow.status}
    if isinstance(outcome, Accepted):
        result: ActionResult = {"applied": True, "flow": status}
        return Response(200, None, orjson.dumps({"ok": True, "result": result}))
    code, reason = outcome.code, outcome.reason
    result = {"applied": False, "code": code, "current": status}
    return responses.refusal(code, reason, route_id=None, result=result)
