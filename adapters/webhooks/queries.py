"""Queries: what an action that changes nothing asks of a session, and makes of the answer."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from orjson import Fragment

from adapters.presentation.wire_json import summary_json
from adapters.webhooks import schemas
from adapters.webhooks.fields import Issue
from adapters.webhooks.responses import ActionResult
from adapters.webhooks.room import LIST, Room
from adapters.webhooks.schema_rules import Values
from domain.application.outcomes import UnknownCursor
from domain.application.ports import ListFilter
from domain.application.sessions import OwnerSession
from domain.flow.ids import FlowId

_FILTERS: Final = ("status", "controller_id", "current_step", "correlation_key", "updated_since")
_MARKED: Final = "~"


def _flow_id(session: OwnerSession, values: Values) -> FlowId | None:
    """Return the flow that a question is about; None if a correlation key names none."""
    key = values.get("correlation_key")
    return values["flow_id"] if key is None else session.find_by_correlation(key)


def get_flow(session: OwnerSession, values: Values, _: Room) -> ActionResult:
    """Return the flow that an id or a correlation key names."""
    flow_id = _flow_id(session, values)
    return _flow_or_null(None if flow_id is None else session.find_json(flow_id))


def find_latest_flow(session: OwnerSession, values: Values, _: Room) -> ActionResult:
    """Return the flow that was created last."""
    return _flow_or_null(session.latest_json(values.get("correlation_key")))


def resolve_flow(session: OwnerSession, values: Values, room: Room) -> ActionResult:
    """Return the flow that a token names."""
    if "token" not in values:
        return get_flow(session, values, room)
    return _flow_or_null(session.resolve_json(values["token"]))


def _flow_or_null(flow: bytes | None) -> ActionResult:
    return {"flow": None if flow is None else Fragment(flow)}


def list_flows(session: OwnerSession, values: Values, room: Room) -> ActionResult | Issue | None:
    """Return a page of flows; None if it does not fit into a short room."""
    wanted = values.get("limit", schemas.MOST_LISTED)
    only = ListFilter(**{name: values[name] for name in _FILTERS if name in values})
    mark = _mark(values)
    cursor, found, rest_of_cursor = values.get("cursor", "").partition(_MARKED)
    if "cursor" in values and found + rest_of_cursor != mark:
        return Issue("cursor: Invalid input")
    try:
        rest = session.page_json(
            room.add_text,
            limit=min(wanted, room.most_items),
            cursor=FlowId(cursor) if "cursor" in values else None,
            only=only,
        )
    except UnknownCursor:
        return Issue("cursor: Invalid input")
    if rest is None:
        return {"flows": LIST}
    if room.is_short and room.count < wanted:
        return None
    return {"flows": LIST, "nextCursor": rest + mark}


def _mark(values: Values) -> str:
    """Return what a cursor ends with, so that it goes on only under the filters that it is of.

    NOTE: under none, or a status alone, it is a flow's id, as the reference's callers know it.
    """
    given = {name: values[name] for name in _FILTERS if name in values}
    if not given.keys() - {"status"}:
        return ""
    text = json.dumps(given, sort_keys=True).encode()
    return _MARKED + hashlib.blake2s(text, digest_size=8).hexdigest()


def may_skip_many(values: Values) -> bool:
    """Say whether a list may have to pass over flows that an index finds, or to sort them."""
    given = values.keys() & set(_FILTERS)
    return "updated_since" in given or (len(given) > 1 and given != {"status"})


def get_task_summary(session: OwnerSession, values: Values, _: Room) -> ActionResult:
    """Return how many tasks of each kind a flow has."""
    flow_id = _flow_id(session, values)
    summary = None if flow_id is None else session.summarize_tasks(flow_id)
    return {"summary": None if summary is None else summary_json(summary)}
