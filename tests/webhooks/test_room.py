"""An answer whose size its caller decides ends at a number of bytes, and says what is left."""

from __future__ import annotations

import orjson

from adapters.webhooks.room import PIECE_BYTES
from domain.application.limits import Limits
from tests.memory_store import WRITE
from tests.webhooks.gateway import Gateway

ANSWER_BYTES = 100_000
LARGE = "x" * 30_000


def _bounded() -> Gateway:
    return Gateway(limits=Limits(answer_bytes=ANSWER_BYTES))


def test_a_list_ends_at_its_bytes_and_the_rest_follows() -> None:
    gateway = _bounded()
    created = [gateway.create(stateJson=LARGE) for _ in range(7)]
    pages: list[list[str]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = gateway.post({"action": "list_flows", **cursor})
        assert len(answer.content) <= ANSWER_BYTES
        result = answer.json["result"]
        pages.append([flow["flowId"] for flow in result["flows"]])
        if "nextCursor" not in result:
            break
        cursor = {"cursor": result["nextCursor"]}
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [flow for page in pages for flow in page] == created[::-1]


def test_a_list_of_exactly_its_flows_has_no_rest() -> None:
    gateway = _bounded()
    for _ in range(3):
        gateway.create(stateJson=LARGE)
    assert "nextCursor" not in gateway.ask("list_flows")["result"]


def test_a_list_shows_one_flow_however_large_it_is() -> None:
    gateway = _bounded()
    created = [gateway.create(stateJson=LARGE * 4) for _ in range(2)]
    first = gateway.ask("list_flows")["result"]
    rest = gateway.ask("list_flows", cursor=first["nextCursor"])["result"]
    assert [[flow["flowId"] for flow in page["flows"]] for page in (first, rest)] == [
        [created[1]],
        [created[0]],
    ]


def test_a_limit_counts_as_well() -> None:
    gateway = _bounded()
    for _ in range(4):
        gateway.create(stateJson=LARGE)
    result = gateway.ask("list_flows", limit=2)["result"]
    assert len(result["flows"]) == 2
    assert "nextCursor" in result


def test_a_cancellation_shows_its_newest_tasks_and_how_many_more() -> None:
    gateway = _bounded()
    flow_id = gateway.create()
    tasks = [gateway.link(flow_id, label=LARGE) for _ in range(5)]
    body = orjson.dumps({"action": "cancel_flow", "flowId": flow_id})
    first = gateway.send(body)
    assert len(first.content) <= ANSWER_BYTES
    result = first.json["result"]
    assert [task["taskId"] for task in result["tasks"]] == tasks[:1:-1]
    assert (result["tasksOmitted"], result["flow"]["flowId"]) == (2, flow_id)
    assert gateway.send(body).content == first.content
    gateway.store.broken = WRITE
    assert gateway.ask("cancel_flow", flowId=flow_id)["result"]["tasksOmitted"] == 2


def test_where_there_is_room_for_all_nothing_is_omitted() -> None:
    gateway = _bounded()
    flow_id = gateway.create()
    gateway.link(flow_id)
    assert "tasksOmitted" not in gateway.ask("cancel_flow", flowId=flow_id)["result"]


def test_a_refused_cancellation_is_bounded_as_well() -> None:
    gateway = _bounded()
    flow_id = gateway.create()
    for _ in range(5):
        gateway.link(flow_id, label=LARGE)
    gateway.ask("finish_flow", flowId=flow_id, expectedRevision=0)
    answer = gateway.ask("cancel_flow", flowId=flow_id)
    assert (answer["code"], answer["result"]["tasksOmitted"]) == ("terminal", 2)


def test_a_long_list_is_sent_in_pieces_that_are_the_same_answer() -> None:
    gateway = Gateway(limits=Limits(answer_bytes=8_388_608))
    created = [gateway.create(stateJson="x" * 250_000) for _ in range(9)]
    answer = gateway.post({"action": "list_flows"})
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert [flow["flowId"] for flow in answer.json["result"]["flows"]] == created[::-1]
    assert len(answer.content) > 2 * PIECE_BYTES
