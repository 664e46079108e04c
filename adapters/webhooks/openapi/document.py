"""The OpenAPI document: paths, parameters, answers and examples around the named schemas."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, TypeAlias

from adapters.presentation.answer_codes import (
    ANSWER_CODES,
    FLOW_CODES,
    GENERAL_CODES,
    LINK_CODES,
    PROBE_CODES,
    ROUTE_CODES,
    AnswerCode,
)
from adapters.webhooks import responses
from adapters.webhooks.idempotency import KEY_PATTERN
from adapters.webhooks.json_schema import JsonSchema, ref
from adapters.webhooks.mapping.payloads import FORM
from adapters.webhooks.openapi.named_schemas import (
    LINK_FOLLOWED,
    PROBED,
    REQUEST,
    SKIPPED,
    SUCCESSES,
    by_status,
    named_schemas,
    one_of_them,
    refusal_name,
)
from adapters.webhooks.routes import HEALTH, READY

OpenApi: TypeAlias = dict[str, Any]

EXCHANGES: Final = Path(__file__).with_name("exchanges.json")
"""The requests and answers of `docs/actions.md`, which writes them."""

ROUTE: Final = "/plugins/webhooks/{route}"

LINK: Final = "/resume/{token}"
_OF_LINKS: Final = frozenset(
    {"invalid_request", "rate_limited", "too_many_in_flight", "persist_failed"}
)

_ABOUT: Final = """\
One JSON object with an `action` is POSTed to the path of a route: `/plugins/webhooks/` and the \
route's id, unless its configuration names another path. A field that is absent keeps its value, \
and `null` clears it. No text may hold the character U+0000. A route with `auth` takes requests \
that their sender signs, in the place of a secret. A route with a `map` takes its senders' own \
payloads instead of these actions: what stands below `webhooks`."""

HEADERS: Final[Mapping[str, OpenApi]] = {
    "X-Request-Id": {
        "description": "Names the request in the log, and on each event that it caused.",
        "schema": {"type": "string"},
        "required": True,
    },
    "Retry-After": {
        "description": "After how many seconds to try again.",
        "schema": {"type": "integer", "minimum": 1},
        "required": True,
    },
    "Allow": {
        "description": "The methods that the path knows.",
        "schema": {"type": "string"},
        "required": True,
    },
    "RateLimit-Policy": {
        "description": "How many requests a route takes of a client in how many seconds, if its"
        " configuration says so.",
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": "How many of them are left, and in how many seconds there are more.",
        "schema": {"type": "string"},
    },
    "Idempotent-Replayed": {
        "description": "The request was a repeat; this is what was answered to the first.",
        "schema": {"const": "true"},
    },
}
"""The headers of answers, but for those that say nothing about a request."""

_EVERYWHERE: Final = ("X-Request-Id", "RateLimit-Policy", "RateLimit")

_SUCCESS_TEXT: Final = {
    200: "It was done, or is shown.",
    202: "The flow is cancelled as soon as its last active task has ended.",
}
_SAMPLES: Final = (
    *(responses.ROUTE_NOT_FOUND, responses.TOO_MANY_IN_FLIGHT, responses.UNAUTHORIZED),
    *(responses.PAYLOAD_TOO_LARGE, responses.ONLY_POST),
    *(responses.rate_limited(17), responses.internal_error(None)),
)


def openapi_document() -> OpenApi:
    """Return the whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "TaskFlow Webhooks",
            "version": version("taskflow-webhooks"),
            "description": _ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "http://127.0.0.1:8080"}],
        "security": [{"bearer": []}, {"secret": []}],
        "paths": {
            ROUTE: {"post": _act()},
            LINK: {"post": _follow()},
            HEALTH: _probe("live"),
            READY: _probe("ready"),
        },
        "webhooks": {"payload": {"post": _deliver()}},
        "components": {
            "schemas": named_schemas(),
            "responses": {
                refusal_name(status): _refused(status, codes)
                for status, codes in by_status(ANSWER_CODES.values()).items()
            },
            "headers": HEADERS,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "secret": {"type": "apiKey", "in": "header", "name": "x-openclaw-webhook-secret"},
            },
        },
    }


def _act() -> OpenApi:
    examples = {name: {"value": request} for name, (request, _, _) in _exchanges().items()}
    return {
        "operationId": "act",
        "summary": "Do what an action asks for",
        "parameters": [
            {
                "name": "route",
                "in": "path",
                "required": True,
                "description": "the end of the route's path",
                "schema": {"type": "string"},
            },
            {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "Names a change, so that a repeat of the request has no second"
                " effect and gets the first answer. An action that changes nothing does not read"
                " it.",
                "schema": {"type": "string", "pattern": KEY_PATTERN},
            },
        ],
        "requestBody": {"required": True, "content": _json(ref(REQUEST), examples)},
        "responses": {
            **{str(status): _answered(status) for status in SUCCESSES},
            **_refusals((*FLOW_CODES, *ROUTE_CODES, *GENERAL_CODES)),
        },
    }


def _deliver() -> OpenApi:
    """Document what a route with a map takes, and what only such a route answers."""
    done, *later = (_answered(status, examples=False) for status in SUCCESSES)
    answer = {"description": "what a rule of the map answers, as to a challenge"}
    either = {"anyOf": [*map(ref, ("Success", SKIPPED["title"])), answer]}
    return {
        "operationId": "deliver",
        "summary": "Take a sender's own payload",
        "description": "The route's `map` makes an action of it, skips it, or answers it itself.",
        "security": [{"bearer": []}, {"secret": []}, {}],
        "requestBody": {
            "required": True,
            "content": {**_json({}), FORM: {"schema": {"type": "object"}}},
        },
        "responses": {
            "200": {
                **done,
                "description": "It was done or skipped, or is what the map answers.",
                "content": _json(either),
            },
            "202": later[0],
            **_refusals((*FLOW_CODES, *ROUTE_CODES, *GENERAL_CODES)),
        },
    }


def _follow() -> OpenApi:
    codes = (each for each in ROUTE_CODES if each.code in _OF_LINKS)
    token = {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"}
    return {
        "operationId": "follow_link",
        "summary": "Let the flow go on that a resume link was made for",
        "security": [],
        "parameters": [
            {
                "name": "token",
                "in": "path",
                "required": True,
                "description": "the end of the link",
                "schema": token,
            }
        ],
        "responses": {
            "200": {
                "description": "The flow goes on.",
                "headers": _headers(*_EVERYWHERE),
                "content": _json(ref(LINK_FOLLOWED["title"])),
            },
            **_refusals((*LINK_CODES, *codes, *GENERAL_CODES)),
        },
    }


def _probe(what: str) -> OpenApi:
    """Document a question about the gateway itself, which anybody may ask."""
    codes = (*GENERAL_CODES, *(PROBE_CODES if what == "ready" else ()))
    get = {
        "operationId": f"is_{what}",
        "summary": f"Whether the gateway is {what}",
        "security": [],
        "responses": {
            "200": {
                "description": "It is.",
                "headers": _headers(*_EVERYWHERE),
                "content": _json(ref(PROBED)),
            },
            **_refusals(codes),
        },
    }
    return {"get": get}


def _answered(status: int, *, examples: bool = True) -> OpenApi:
    shown = _examples(status) if examples else None
    return {
        "description": _SUCCESS_TEXT[status],
        "headers": _headers(*_EVERYWHERE, "Idempotent-Replayed"),
        "content": _json(one_of_them(SUCCESSES[status]), shown),
    }


def _refusals(codes: Iterable[AnswerCode]) -> OpenApi:
    return {
        str(status): {"$ref": f"#/components/responses/{refusal_name(status)}"}
        for status in by_status(codes)
    }


def _refused(status: int, codes: Sequence[AnswerCode]) -> OpenApi:
    samples = {
        each.code: {"value": json.loads(each.body)}
        for each in _SAMPLES
        if each.status == status and each.code is not None
    }
    extra = dict.fromkeys(each.header for each in codes if each.header is not None)
    return {
        "description": "\n".join(f"- `{each.code}`: {each.when}" for each in codes),
        "headers": _headers(*_EVERYWHERE, *extra),
        "content": _json(ref(refusal_name(status)), _examples(status) | samples),
    }


def _examples(status: int) -> OpenApi:
    kept = _exchanges().items()
    return {name: {"value": answer} for name, (_, code, answer) in kept if code == status}


def _headers(*names: str) -> OpenApi:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _json(schema: JsonSchema, examples: OpenApi | None = None) -> OpenApi:
    shown = {"examples": examples} if examples else {}
    return {"application/json": {"schema": schema, **shown}}


@cache
def _exchanges() -> Mapping[str, tuple[Any, int, Any]]:
    """Return the documented exchanges, each under a name of its own."""
    found: dict[str, tuple[Any, int, Any]] = {}
    for request, status, answer in json.loads(EXCHANGES.read_text(encoding="utf-8")):
        action = request["action"]
        before = sum(name.partition("-")[0] == action for name in found)
        found[f"{action}-{before + 1}" if before else action] = (request, status, answer)
    return found
