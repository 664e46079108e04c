"""Each deviation asks for one answer: ours passes, the recorded one and others do not."""

import json

import pytest
from attrs import evolve

from tests.contract.outcomes import AsRecorded, Deviated, Failed
from tests.contract.playback import (
    kinds,
    line_named,
    lines_of,
    ours,
    outcome_of,
    play,
    reference_answers,
    refused,
)
from tests.contract.wire_client import Observed

INVALID_JSON = refused(400, "invalid_json", "other")
UNAUTHORIZED = refused(401, "unauthorized")
NO_ROUTE = refused(404, "route_not_found")
NO_METHOD = refused(405, "method_not_allowed", allow="POST")
NO_TYPE = refused(415, "unsupported_media_type")
NO_FLOW = ours(200, {"ok": True, "routeId": "uni", "result": {"flow": None}})


def invalid(error: str, route_id: str | None = "zapier") -> Observed:
    """Make a refusal of a request that breaks the schema."""
    route = {"routeId": route_id} if route_id else {}
    return ours(
        400, {"ok": False, **route, "code": "invalid_request", "error": error, "result": {}}
    )


def without_sentence(answer: Observed) -> Observed:
    """Say it in other words."""
    return evolve(answer, body=json.dumps({**json.loads(answer.body), "error": "No."}).encode())


def without_reason(answer: Observed) -> Observed:
    """Say no more than the reference does."""
    return evolve(answer, body=answer.body.replace(b": byte 0: why", b"").replace(b": why", b""))


@pytest.mark.parametrize(
    ("name", "answer", "deviation"),
    [
        ("auth/none", UNAUTHORIZED, "D2"),
        ("auth/unauth-headers", UNAUTHORIZED, "D2"),
        ("method-path/unknown", NO_ROUTE, "D2"),
        ("method-path/method-GET", NO_METHOD, "D2"),
        ("content-type/text", NO_TYPE, "D2"),
        ("body/bad-json", INVALID_JSON, "D2"),
        ("validation/create-no-goal", invalid("goal is missing"), "D2"),
        ("validation/create-extra", invalid("unknown key: extra"), "D2"),
        ("validation/body-string", invalid("an object was expected"), "D2"),
        ("body/nbsp-padded", INVALID_JSON, "D4"),
        ("body/dup-action", INVALID_JSON, "D4"),
        ("body/dup-action-rev", INVALID_JSON, "D4"),
        ("body/non-utf8", INVALID_JSON, "D4"),
        ("body/non-utf8-key", INVALID_JSON, "D4"),
        ("body/gzip-declared", NO_TYPE, "D4"),
        ("create-fields/goal-control", refused(400, "invalid_json", "zapier"), "D4"),
        ("create-fields/goal-lone-surrogate", refused(400, "invalid_json", "zapier"), "D4"),
        ("deep-valid/depth-500", refused(400, "invalid_json", "zapier"), "D5"),
        ("deep-valid/depth-20000", refused(400, "invalid_json", "zapier"), "D5"),
        ("method-path/dot", NO_ROUTE, "D6"),
        ("method-path/backslash", NO_ROUTE, "D6"),
        ("method-path/fragment", NO_ROUTE, "D6"),
        ("method-path/absolute", NO_ROUTE, "D6"),
        ("auth/broken-route", NO_ROUTE, "D10"),
        ("auth/unicode-secret", NO_FLOW, "D13"),
        ("method-path/method-FOO", NO_METHOD, "D16"),
        ("body/proto-key", invalid("unknown key: __proto__", "other"), "D16"),
        ("slow-body/stall", refused(408, "request_timeout"), "D3"),
    ],
)
def test_our_answer_is_a_deviation_and_no_other_is(
    name: str, answer: Observed, deviation: str
) -> None:
    timely = Observed(answer.status, answer.headers, answer.body, line_named(name).seconds or 0.0)
    assert outcome_of(name, timely) == Deviated(line_named(name), deviation)
    for wrong in (NO_ROUTE, refused(400, "invalid_json"), refused(500, "internal_error")):
        assert isinstance(outcome_of(name, wrong), Failed) or wrong == answer


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("auth/none", refused(401, "unauthorized", "zapier")),
        ("auth/none", refused(403, "unauthorized")),
        ("auth/none", without_sentence(UNAUTHORIZED)),
        ("body/bad-json", refused(400, "invalid_json")),
        ("body/bad-json", refused(400, "invalid_json", "zapier")),
        ("body/bad-json", invalid("bad JSON", "other")),
        ("body/bad-json", without_sentence(INVALID_JSON)),
        ("body/bad-json", without_reason(INVALID_JSON)),
        ("content-type/text", without_reason(NO_TYPE)),
        ("body/bom", INVALID_JSON),
        ("method-path/method-GET", refused(405, "method_not_allowed")),
        ("validation/create-no-goal", invalid("status is missing")),
        ("validation/create-no-goal", invalid("goals are missing")),
        ("validation/create-no-goal", invalid("goal is missing", None)),
        ("validation/create-extra", invalid("an unknown key")),
        ("slow-body/stall", refused(413, "payload_too_large")),
        ("slow-body/stall", refused(408, "request_timeout")),
    ],
)
def test_a_deviation_is_no_leave_for_another_answer(name: str, answer: Observed) -> None:
    assert isinstance(outcome_of(name, answer), Failed)


def test_a_byte_order_mark_passes_as_recorded() -> None:
    nothing = ours(200, {"ok": True, "routeId": "other", "result": {"flow": None}})
    assert outcome_of("body/bom", nothing) == AsRecorded(line_named("body/bom"))


def test_a_flow_that_has_ended_stays_ended_to_the_end_of_its_scenario() -> None:
    told = play_terminal("terminal", "Flow is already succeeded.")
    assert told == [AsRecorded, AsRecorded, "D1", "D1"]


def test_a_mutation_of_an_ended_flow_is_answered_with_its_own_code_and_sentence() -> None:
    assert Failed in play_terminal("revision_conflict", "Flow is already succeeded.")
    assert Failed in play_terminal("terminal", "Flow is already cancelled.")


def test_an_ended_flow_is_shown_as_it_was() -> None:
    assert Failed in play_terminal("terminal", "Flow is already succeeded.", goal="other")


def play_terminal(code: str, error: str, **changed: str) -> list[object]:
    """Replay a scenario in which the reference re-opens a flow; say what its lines became."""
    lines = lines_of("matrix/succeeded/resume_flow")
    create, finish, *_ = reference_answers(lines)
    flow = json.loads(finish.body)["result"]["flow"]
    result = {"applied": False, "code": code, "current": flow}
    told = {"ok": False, "routeId": "zapier", "code": code, "error": error, "result": result}
    read = {"ok": True, "routeId": "zapier", "result": {"flow": {**flow, **changed}}}
    report = play(lines, [create, finish, ours(409, told), ours(200, read)])
    return kinds(report)
