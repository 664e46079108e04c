"""The named schemas of the document, from the tables of actions, of their replies, and of codes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from adapters.presentation.answer_codes import (
    ANSWER_CODES,
    FLOW_CODES,
    LINK_CODES,
    LINK_NOT_FOUND,
    AnswerCode,
)
from adapters.webhooks import resume_links
from adapters.webhooks.actions import ACTIONS, Action, CommandAction
from adapters.webhooks.field_text import FIELD_TEXT
from adapters.webhooks.json_schema import (
    NO,
    NOTHING_TO_SHOW,
    TEXT,
    YES,
    JsonSchema,
    an_object,
    any_of,
    ref,
)
from adapters.webhooks.outcomes import SHOWS_PENDING
from adapters.webhooks.responses import PARTS, PERSIST_FAILED
from adapters.webhooks.schemas import request_schema
from adapters.webhooks.view_schemas import FLOW, TASK, TASK_SUMMARY
from domain.application.outcomes import CANCEL_PENDING

REQUEST: Final = "ActionRequest"
PROBED: Final = "GatewayStatus"


def named_schemas() -> Mapping[str, JsonSchema]:
    """Return each schema by its name, in which each member says what it is."""
    requests = {action.name: _request(action) for action in ACTIONS.values()}
    of_requests = {schema["title"]: schema for schema in requests.values()}
    mapping = {name: ref(schema["title"])["$ref"] for name, schema in requests.items()}
    choice = {
        "oneOf": [ref(name) for name in of_requests],
        "discriminator": {"propertyName": "action", "mapping": mapping},
    }
    answers = {schema["title"]: _described(schema) for schema in _answers()}
    return {REQUEST: choice, **of_requests, **answers}


def by_status(codes: Iterable[AnswerCode]) -> Mapping[int, Sequence[AnswerCode]]:
    """Return codes by their status, in its order."""
    found: dict[int, list[AnswerCode]] = {}
    for each in sorted(codes, key=lambda each: each.status):
        found.setdefault(each.status, []).append(each)
    return found


def refusal_name(status: int) -> str:
    """Return the name of what a refusal of some status looks like."""
    return f"Refusal{status}"


def _request(action: Action) -> JsonSchema:
    about = f"{action.about} The result of a success is a `{_shows(action)['title']}`."
    return {"description": about, **_described(request_schema(action.name, action.schema))}


def _answers() -> Iterator[JsonSchema]:
    yield from (schema for schemas in SUCCESSES.values() for schema in schemas)
    status = an_object("Status", {"status": {"enum": ["alive", "ready"]}}, _UNREADY)
    yield an_object(PROBED, {"ok": YES, "result": status})
    yield from (LINK_FOLLOWED, SKIPPED)
    yield from (_refusal(*each) for each in by_status(ANSWER_CODES.values()).items())
    yield from (FLOW, TASK, TASK_SUMMARY, NOTHING_TO_SHOW, SHOWS_PENDING, _NOT_READY)
    yield from (*_results(), *_refused_results(), resume_links.SHOWS_REFUSED)


def _results() -> Sequence[JsonSchema]:
    shown = {schema["title"]: schema for schema in map(_shows, ACTIONS.values())}
    # NOTE: a reader that takes the first that fits has to try those that need most first.
    return sorted(shown.values(), key=lambda schema: -len(schema["required"]))


def _shows(action: Action) -> JsonSchema:
    return action.replies.shows if isinstance(action, CommandAction) else action.shows


def _refused_results() -> Sequence[JsonSchema]:
    commands = (action for action in ACTIONS.values() if isinstance(action, CommandAction))
    found = {each.replies.shows_refused["title"]: each.replies.shows_refused for each in commands}
    return tuple(found.values())


def _refusal(status: int, codes: Sequence[AnswerCode]) -> JsonSchema:
    names = [each.code for each in codes]
    results = {shown["title"]: shown for name in names for shown in _shown_with(name)}
    code = {"code": {"type": "string", "enum": names}}
    result = {"result": one_of_them(results.values())}
    return an_object(
        refusal_name(status), {"ok": NO, **code, "error": TEXT, **result}, {"routeId": TEXT}
    )


def _shown_with(code: str) -> Sequence[JsonSchema]:
    """Return what the result of a refusal may be."""
    if code == PERSIST_FAILED:
        return (*_refused_results(), NOTHING_TO_SHOW)
    if code in {each.code for each in LINK_CODES if each.code != LINK_NOT_FOUND}:
        return (resume_links.SHOWS_REFUSED,)
    if code == "not_ready":
        return (_NOT_READY,)
    is_of_a_flow = code in {each.code for each in FLOW_CODES}
    return _refused_results() if is_of_a_flow else (NOTHING_TO_SHOW,)


def one_of_them(schemas: Iterable[JsonSchema]) -> JsonSchema:
    """Refer to named schemas, of which one fits."""
    return any_of(*(ref(schema["title"]) for schema in schemas))


def _described(schema: JsonSchema) -> JsonSchema:
    """Return a schema whose members say what they are."""
    members = {
        name: member | ({"description": FIELD_TEXT[name]} if name in FIELD_TEXT else {})
        for name, member in schema.get("properties", {}).items()
    }
    return {**schema, "properties": members} if members else schema


_PART: Final = f"^(?:{'|'.join(PARTS)}|(?:shard|signing)-[a-z0-9-]+)$"
_UNREADY: Final = {"notReady": {"type": "array", "items": {"type": "string", "pattern": _PART}}}
_NOT_READY: Final = an_object("UnreadyGateway", _UNREADY)
LINK_FOLLOWED: Final = an_object("LinkSuccess", {"ok": YES, "result": resume_links.SHOWS})
"""The envelope of a resume link that was followed."""

_ROUTED: Final = {"ok": YES, "routeId": TEXT}
SKIPPED: Final = an_object(
    "Skipped", {**_ROUTED, "skipped": TEXT, "result": ref(NOTHING_TO_SHOW["title"])}
)
"""The envelope of a payload that no rule of a route's map is for."""

_PENDING: Final = {"code": {"const": CANCEL_PENDING}, "result": ref(SHOWS_PENDING["title"])}

SUCCESSES: Final[Mapping[int, Sequence[JsonSchema]]] = {
    200: (an_object("Success", {**_ROUTED, "result": one_of_them(_results())}),),
    202: (an_object("CancelPending", {**_ROUTED, **_PENDING}),),
}
"""The envelopes of success by their status."""
