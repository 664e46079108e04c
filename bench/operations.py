"""What is measured: the actions, each on something small and on something large."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from attrs import frozen

from bench.load import Answer, Body, NextRequest
from bench.plan import Sizes
from bench.stores import FEW, Built

CYCLE: Final = "set_waiting / resume_flow"


@frozen(kw_only=True)
class Operation:
    """An action on something of some size, over the route of whoever owns that.

    `begin` returns the requests of one measurement; `durable` says whether each is synced.
    """

    action: str
    on: str
    route: str
    begin: Callable[[], NextRequest]
    durable: bool = False


def operations(built: Built, sizes: Sizes) -> Iterator[Operation]:
    """Return all that is measured, on a store that was built."""
    few, many = f"an owner of {FEW} flows", f"an owner of {sizes.flows:,}"
    long = f"a flow of {sizes.events:,}"
    yield _writing("create_flow", "a new owner", "new", _always(action="create_flow", goal="bench"))
    yield _writing("create_flow", many, "many", _always(action="create_flow", goal="bench"))
    yield _reading("get_flow", "a flow of 1 event", "bench", _get(built.short))
    yield _reading("get_flow", long, "bench", _get(built.long))
    yield _writing(CYCLE, "a flow of 1 event", "bench", lambda: _cycle(_create))
    yield _writing(CYCLE, long, "bench", lambda: _cycle(lambda n: _show(built.changing[n])))
    yield _reading("list_flows", few, "few", _always(action="list_flows"))
    yield _reading(
        f"list_flows, limit {FEW}", many, "many", _always(action="list_flows", limit=FEW)
    )
    yield _reading(
        "list_flows", f"an owner of {sizes.page:,}", "page", _always(action="list_flows")
    )
    yield _reading("find_latest_flow", few, "few", _always(action="find_latest_flow"))
    yield _reading("find_latest_flow", many, "many", _always(action="find_latest_flow"))


def life() -> NextRequest:
    """Return the requests of whole lives of flows, one after the other on each connection."""
    lives: dict[int, Iterator[Body]] = {}

    def next_request(number: int, answer: Answer | None) -> Body:
        found = next(lives.get(number, iter(())), None)
        if found is not None:
            return found
        if answer is None or "created" not in answer.result:
            return _create(number)
        lives[number] = _life(answer.result["flow"]["flowId"])
        return next(lives[number])

    return next_request


def _life(flow_id: str) -> Iterator[Body]:
    def on(action: str, **given: object) -> Body:
        return _body(action=action, flowId=flow_id, **given)

    yield on("get_flow")
    yield on("set_waiting", expectedRevision=0, waitJson={"kind": "approval"})
    yield on("resume_flow", expectedRevision=1, stateJson={"approved": True})
    yield on("run_task", runtime="acp", task="Inspect the next message batch")
    yield on("get_task_summary")
    yield _body(action="list_flows", limit=FEW)
    yield on("finish_flow", expectedRevision=2)


def _reading(action: str, on: str, route: str, begin: Callable[[], NextRequest]) -> Operation:
    return Operation(action=action, on=on, route=route, begin=begin)


def _writing(action: str, on: str, route: str, begin: Callable[[], NextRequest]) -> Operation:
    return Operation(action=action, on=on, route=route, begin=begin, durable=True)


def _always(**document: object) -> Callable[[], NextRequest]:
    body = _body(**document)
    return lambda: lambda _number, _answer: body


def _get(flow_id: str) -> Callable[[], NextRequest]:
    return _always(action="get_flow", flowId=flow_id)


def _create(_: int) -> Body:
    return _body(action="create_flow", goal="bench")


def _show(flow_id: str) -> Body:
    return _body(action="get_flow", flowId=flow_id)


def _cycle(first: Callable[[int], Body]) -> NextRequest:
    """Let each connection's flow wait and go on in turn, after a first request that shows it."""

    def next_request(number: int, answer: Answer | None) -> Body:
        return first(number) if answer is None else _turn(answer.result["flow"])

    return next_request


def _turn(flow: dict[str, Any]) -> Body:
    place = {"flowId": flow["flowId"], "expectedRevision": flow["revision"]}
    if flow["status"] == "waiting":
        return _body(action="resume_flow", **place)
    wait = {"kind": "approval"}
    return _body(action="set_waiting", currentStep="await_approval", waitJson=wait, **place)


def _body(**document: object) -> Body:
    return json.dumps(document, separators=(",", ":")).encode()
