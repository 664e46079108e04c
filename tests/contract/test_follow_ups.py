"""What a deviation changes for the lines after it, and the scenarios that need a crowd."""

import json
import time
from collections.abc import Iterator, Mapping

import pytest
from attrs import evolve

from tests.contract.outcomes import AsRecorded, Failed, Report
from tests.contract.playback import (
    AT_ONCE,
    ROUTES,
    Playback,
    kinds,
    line_named,
    lines_of,
    ours,
    play,
    reference_answers,
    refused,
)
from tests.contract.recording import Line, line_of
from tests.contract.replay import replay
from tests.contract.wire_client import Observed

RATE_LIMITED = refused(429, "rate_limited", retry_after="60")


def asked(name: str, ask: object, told: object, *, status: int = 200, **more: object) -> Line:
    """Make a line: what was asked of the route zapier, and what the reference told."""
    headers = {"Content-Type": "application/json", "Authorization": "Bearer plain-secret-zapier"}
    body = ask if isinstance(ask, str) else json.dumps(ask)
    request = {"method": "POST", "path": "/plugins/webhooks/zapier", "headers": headers}
    answer = told if isinstance(told, str) else json.dumps(told)
    return line_of(
        {
            "scenario": name.partition("/")[0],
            "seq": 1,
            "name": name,
            "client_ip": "fresh",
            "request": {**request, "body": body},
            "response": {"status": status, "headers": {}, "body": answer},
            **more,
        }
    )


def success(result: object) -> dict[str, object]:
    """Make the envelope of a success."""
    return {"ok": True, "routeId": "zapier", "result": result}


def flow(flow_id: str, **fields: object) -> dict[str, object]:
    """Make the view of a flow."""
    return {"flowId": flow_id, "revision": 0, "status": "queued", "goal": "g", **fields}


def test_a_flow_that_was_never_made_is_not_found_later() -> None:
    ask = '{"action": "create_flow", "goal": "a\\u0000b"}'
    lines = [
        asked("x/create", ask, success({"created": True, "flow": flow("${f}", goal="a\0b")})),
        asked("x/get", {"action": "get_flow", "flowId": "${f}"}, success({"flow": flow("${f}")})),
        asked("x/latest", {"action": "find_latest_flow"}, success({"flow": flow("${f}")})),
    ]
    nothing = ours(200, success({"flow": None}))
    right = play(lines, [refused(400, "invalid_json", "zapier"), nothing, nothing])
    assert kinds(right) == ["D4", "D4", "D4"]
    invented = ours(200, success({"flow": flow("missing-f")}))
    wrong = play(lines, [refused(400, "invalid_json", "zapier"), invented, nothing])
    assert kinds(wrong)[1] is Failed


def test_numbers_and_the_order_of_keys_come_back_as_sent() -> None:
    sent = '{"b": 1, "10": 12345678901234567890}'
    kept = '{"10": 12345678901234567000, "b": 1}'
    create = asked(
        "x/create",
        f'{{"action": "create_flow", "goal": "g", "stateJson": {sent}}}',
        success({"created": True, "flow": flow("${f}", stateJson=json.loads(kept))}),
    )
    read = asked(
        "x/get",
        {"action": "get_flow", "flowId": "${f}"},
        success({"flow": flow("${f}", stateJson=json.loads(kept))}),
    )

    def told(state: str) -> Report:
        view = flow("id", stateJson=json.loads(state))
        answers = (
            ours(200, success({"created": True, "flow": view})),
            ours(200, success({"flow": view})),
        )
        return play([create, read], answers)

    assert kinds(told(sent)) == ["D12", "D12"]
    assert kinds(told(kept))[0] is Failed
    assert kinds(told('{"10": 12345678901234567890, "b": 1}'))[0] is Failed


def test_a_magic_key_inside_a_value_is_kept() -> None:
    line = line_named("create-fields/state-proto")
    (answer,) = reference_answers([line])
    body = json.loads(answer.body)
    assert kinds(play([line], [answer])) == [Failed]
    body["result"]["flow"]["stateJson"] = {"__proto__": {"a": 1}, "constructor": 1, "b": 2}
    assert kinds(play([line], [ours(200, body)])) == ["D16"]


@pytest.mark.parametrize(
    ("shown", "cursor", "kind"),
    [(["b"], {"nextCursor": "c"}, "D9"), (["a"], {"nextCursor": "c"}, Failed), (["b"], {}, Failed)],
)
def test_a_page_is_the_newest_flows_and_a_cursor(
    shown: list[str], cursor: Mapping[str, str], kind: object
) -> None:
    unknown = {"ok": False, "code": "invalid_request", "error": 'Unrecognized key: "limit"'}
    lines = [
        asked("x/a", CREATE, success({"created": True, "flow": flow("${a}")})),
        asked("x/b", CREATE, success({"created": True, "flow": flow("${b}")})),
        asked("x/list", {"action": "list_flows", "limit": 1}, unknown, status=400),
    ]
    made = [ours(200, success({"created": True, "flow": flow(name)})) for name in "ab"]
    page = ours(200, success({"flows": [flow(name) for name in shown], **cursor}))
    assert kinds(play(lines, [*made, page])) == [AsRecorded, AsRecorded, kind]


CREATE = {"action": "create_flow", "goal": "g"}


@pytest.mark.parametrize(
    ("status", "told", "deviation"), [(None, "", "D3"), (401, "unauthorized", "D3b")]
)
def test_too_long_a_body_is_refused_before_anything_else(
    status: int | None, told: str, deviation: str
) -> None:
    line = asked("x/long", "{}", told, transport={"declared_length": 262_145})
    line = evolve(line, response=evolve(line.response, status=status))
    assert kinds(play([line], [refused(413, "payload_too_large")])) == [deviation]
    assert kinds(play([line], [refused(401, "unauthorized")])) == [Failed]


def test_a_child_without_a_session_key_is_lost_after_a_cancellation() -> None:
    now = time.time_ns() // 1_000_000
    task = {"taskId": "${t}", "parentFlowId": "${f}", "runtime": "acp", "status": "running"}
    stale = {**task, "lastEventAt": 1}
    pending = flow("${f}", cancelRequestedAt=now)
    told = {"found": True, "cancelled": False, "reason": "r", "flow": pending, "tasks": [stale]}
    lines = [
        asked("lost-sweep/create", CREATE, success({"created": True, "flow": flow("${f}")})),
        asked("lost-sweep/cancel", {"action": "cancel_flow", "flowId": "${f}"}, success(told)),
        asked("lost-sweep/after-sweep", GET, success({"flow": pending})),
    ]
    ours_pending = json.loads(json.dumps(success(told)).replace("${f}", "f").replace("${t}", "t"))
    ended = {"status": "cancelled", "revision": 1, "waitJson": None, "cancelRequestedAt": now}
    ended |= {"updatedAt": now, "endedAt": now}
    answers = [
        ours(200, success({"created": True, "flow": flow("f")})),
        ours(200, ours_pending),
        ours(200, success({"flow": flow("f", **ended)})),
    ]
    assert kinds(play(lines, answers)) == [AsRecorded, AsRecorded, "D17"]
    still = ours(200, success({"flow": flow("f", cancelRequestedAt=now)}))
    assert kinds(play(lines, [*answers[:2], still])) == [AsRecorded, AsRecorded, Failed]


GET = {"action": "get_flow", "flowId": "${f}"}


def rate_answers(slash: Observed) -> Iterator[Observed]:
    """Answer the scenario about the rate, one caller having one budget but for the slash."""
    found = ours(200, {"ok": True, "routeId": "rate", "result": {"flow": None}})
    no_method = refused(405, "method_not_allowed", allow="POST")
    yield no_method
    yield from [found] * 118
    yield from (refused(415, "unsupported_media_type"), refused(401, "unauthorized"))
    yield from [RATE_LIMITED] * 3
    yield from (no_method, slash, RATE_LIMITED, found)
    yield ours(200, {"ok": True, "routeId": "twin", "result": {"flow": None}})


def test_a_trailing_slash_shares_the_budget_of_its_route() -> None:
    wire = Playback(rate_answers(slash=RATE_LIMITED))
    report = replay(lines_of("rate-limit"), wire, ROUTES, options=AT_ONCE)
    assert (report.failures, report.deviating("D7")) == ([], ["rate-limit/trailing-slash-bypass"])
    assert len(wire.sent) == 129


def test_a_trailing_slash_with_a_budget_of_its_own_fails() -> None:
    found = ours(200, {"ok": True, "routeId": "rate", "result": {"flow": None}})
    report = play(lines_of("rate-limit"), rate_answers(slash=found))
    assert [failure.line.name for failure in report.failures] == [
        "rate-limit/trailing-slash-bypass"
    ]


def test_a_repeat_that_is_answered_otherwise_fails() -> None:
    answers = [*rate_answers(slash=RATE_LIMITED)]
    answers[60] = RATE_LIMITED
    report = play(lines_of("rate-limit"), answers)
    assert report.failures[0].line.name == "rate-limit/n1"


def test_each_caller_has_its_own_open_requests() -> None:
    wire = Playback(iter(crowd_answers(alone=True)))
    report = replay(lines_of("in-flight"), wire, ROUTES, options=AT_ONCE)
    assert (report.failures, report.deviating("D7")) == (
        [],
        ["in-flight/ninth", "in-flight/ninth-unauth"],
    )
    assert wire.steps == ["held"] * 8 + ["finished"] + ["closed"] * 7


def test_callers_from_one_address_share_their_open_requests() -> None:
    options = evolve(AT_ONCE, one_client="192.0.2.99")
    wire = Playback(iter(crowd_answers(alone=False)))
    report = replay(lines_of("in-flight"), wire, ROUTES, options=options)
    assert (report.failures, report.deviating("D7")) == ([], [])
    clients = {dict(outgoing.headers)["X-Forwarded-For"] for outgoing in wire.sent}
    assert clients == {"192.0.2.99"}


def crowd_answers(*, alone: bool) -> list[Observed]:
    """Answer the scenario about open requests, to a caller who is alone or one of many."""
    crowded = refused(429, "too_many_in_flight", retry_after="1")
    none = ours(200, {"ok": True, "routeId": "twin", "result": {"flows": []}})
    found = ours(200, {"ok": True, "routeId": "twin", "result": {"flow": None}})
    other = ours(200, {"ok": True, "routeId": "other", "result": {"flow": None}})
    return [
        none if alone else crowded,
        refused(405, "method_not_allowed", allow="POST"),
        refused(401, "unauthorized") if alone else crowded,
        refused(415, "unsupported_media_type"),
        other,
        found,
        found,
    ]


def test_the_limited_client_is_the_right_most_untrusted_hop() -> None:
    wire = Playback(RATE_LIMITED for _ in range(130))
    replay(lines_of("client-ip"), wire, ROUTES, options=AT_ONCE)
    given = [dict(outgoing.headers).get("X-Forwarded-For") for outgoing in wire.sent]
    assert given == [
        *["198.51.100.7"] * 122,
        *["203.0.113.9, 198.51.100.7", "198.51.100.7, 203.0.113.9", "198.51.100.7:4711"],
        *["not-an-address", "::ffff:198.51.100.7", None, None],
    ]
