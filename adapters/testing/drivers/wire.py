"""Commands as requests of the wire, and its answers as answers: strict, and apart from the gateway.

Whatever an envelope must be is checked here: a reply that breaks the contract is a `WireFault`,
even where it would tell the right thing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from adapters.testing.answers import ACCEPTED, NOT_PERSISTED, Answer, PlainView
from adapters.testing.json_format import dump_command
from domain.flow.commands import Command, ResumeEarly
from domain.flow.ids import RouteId

WireObject: TypeAlias = dict[str, Any]

NOT_FOUND: Final = "TaskFlow not found."
PENDING: Final = "One or more child tasks are still active."
STATUSES: Final = {
    "not_found": 404,
    "task_not_found": 404,
    "idempotency_key_reused": 422,
    "same_approver": 403,
    NOT_PERSISTED: 503,
}
CONFLICT: Final = 409
CONSTANT_IN_FLOWS: Final = {"syncMode": "managed"}
CONSTANT_IN_TASKS: Final = {"scopeKind": "session", "deliveryStatus": "pending"}
DONE: Final = {
    "create_flow": "created",
    "cancel_flow": "cancelled",
    "run_task": "created",
    "update_task": "updated",
}
"""The word that says in a result whether it was done; `applied` for all others."""
FOUND: Final = frozenset({"cancel_flow", "run_task", "update_task"})
"""The actions whose result says whether there was a flow, and why not."""


class WireFault(AssertionError):  # noqa: N818 - what it is
    """A reply that is not what the contract says."""


def request_of(command: Command) -> bytes:
    """Return the body of the request that a command is on the wire."""
    ((action, given),) = dump_command(command).items()
    if isinstance(command, ResumeEarly):
        given = {**given, "early": True}
        action = "resume_flow"
    members = {_camel(name): _sent(name, value) for name, value in given.items()}
    return query(action, **members)


def query(action: str, **members: object) -> bytes:
    """Return the body of a request."""
    document = {"action": action, **members}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def parse_answer(command: Command, status: int, body: bytes, *, route_id: RouteId) -> Answer:
    """Return the answer in a reply to a command; raises WireFault."""
    (action,) = dump_command(command)
    reply = parse_reply(body, route_id=route_id)
    done = DONE.get(action, "applied")
    if reply["ok"]:
        return _accepted(action, done, reply, status)
    return _refused(action, done, reply, status)


def parse_result(status: int, body: bytes, *, route_id: RouteId) -> WireObject:
    """Return the result of a reply to a question, which is never refused; raises WireFault."""
    reply = parse_reply(body, route_id=route_id)
    _check(reply["ok"] is True and status == 200, f"{status} {reply}")  # noqa: PLR2004 - OK
    return _object(reply["result"])


def parse_reply(body: bytes, *, route_id: RouteId) -> WireObject:
    """Return the envelope of a reply; raises WireFault."""
    try:
        reply = _object(json.loads(body))
    except ValueError as error:
        raise WireFault(f"not JSON: {body[:200]!r}") from error
    expected = {"ok", "routeId", "result"} | ({"code", "error"} if not reply.get("ok") else set())
    _check(reply.keys() - {"code"} == expected - {"code"}, f"an envelope of {sorted(reply)}")
    _check(reply["routeId"] == route_id, f"of the route {reply['routeId']}")
    return reply


def parse_flow(document: object) -> PlainView:
    """Return what is shown of a flow on the wire; raises WireFault."""
    return _view(document, CONSTANT_IN_FLOWS)


def parse_task(document: object) -> PlainView:
    """Return what is shown of a task on the wire; raises WireFault."""
    return _view(document, CONSTANT_IN_TASKS)


def snake_keys(document: Mapping[str, object]) -> PlainView:
    """Return an object of the wire by the names of the core."""
    return {_snake(name): value for name, value in document.items()}


def _accepted(action: str, done: str, reply: WireObject, status: int) -> Answer:
    result = _object(reply["result"])
    flow = parse_flow(result.pop("flow", None))
    pending = action == "cancel_flow" and flow["status"] != "cancelled"
    expected: WireObject = {done: not pending}
    if action == "cancel_flow":
        expected |= {"found": True, **({"reason": PENDING} if pending else {})}
    tasks = tuple(parse_task(task) for task in result.pop("tasks", ()))
    task = parse_task(result.pop("task")) if "task" in result else None
    _check(result == expected, f"a result that says {result}, where {expected} was due")
    code = "cancel_pending" if pending else None
    _check((status, reply.get("code")) == (202 if pending else 200, code), f"{status} {reply}")
    return Answer(ACCEPTED, "", flow, task, tasks)


def _refused(action: str, done: str, reply: WireObject, status: int) -> Answer:
    code, error, result = reply["code"], reply["error"], _object(reply["result"])
    _check(status == STATUSES.get(code, CONFLICT), f"{status} for {code}")
    reason = _reason(code, error)
    if code == "idempotency_key_reused":
        _check(result == {}, f"a result of {result}")
        return Answer(code, reason)
    flow = result.pop("flow" if action in FOUND else "current", None)
    tasks = tuple(parse_task(task) for task in result.pop("tasks", ()))
    task = parse_task(result.pop("task")) if "task" in result else None
    expected: WireObject = {done: False, "code": code}
    if action in FOUND:
        expected = {done: False, "found": code != "not_found", "reason": reason}
    _check(result == expected, f"a result that says {result}, where {expected} was due")
    return Answer(code, reason, None if flow is None else parse_flow(flow), task, tasks)


def _reason(code: str, error: str) -> str:
    """Return the core's sentence: only for a missing flow the wire has one of its own."""
    if code != "not_found":
        return error
    _check(error == NOT_FOUND, f"the sentence {error!r}")
    return "Flow not found."


def _view(document: object, constant: Mapping[str, str]) -> PlainView:
    found = _object(document)
    for name, value in constant.items():
        _check(found.pop(name, None) == value, f"no {name} {value!r} in {sorted(found)}")
    return {_snake(name): _held(name, value) for name, value in found.items()}


def _held(name: str, value: object) -> object:
    return _compact(value) if name in {"stateJson", "waitJson"} else value


def _sent(name: str, value: object) -> object:
    is_json = name in {"state_json", "wait_json"} and isinstance(value, str)
    return json.loads(str(value)) if is_json else value


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _object(value: object) -> WireObject:
    _check(isinstance(value, dict), f"{value!r} where an object was due")
    found: WireObject = value  # type: ignore[assignment] # checked in the line above
    return found


def _check(holds: bool, found: str) -> None:  # noqa: FBT001 - an assertion
    if not holds:
        raise WireFault(f"the reply is {found}")


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def _snake(name: str) -> str:
    return re.sub(r"(?=[A-Z])", "_", name).lower()
