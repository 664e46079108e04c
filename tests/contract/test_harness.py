"""The replay fails when an answer is wrong, whatever is wrong about it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from tests.contract.outcomes import ORDER, AsRecorded, Failed, NotReproducible, PutOff, Report
from tests.contract.playback import (
    REFERENCE,
    ROUTES,
    Playback,
    line_named,
    lines_of,
    play,
    play_reference,
    reference_answers,
)
from tests.contract.player import SWEEP, Options
from tests.contract.recording import Line
from tests.contract.replay import replay
from tests.contract.wire_client import Observed

Change = Callable[[dict[str, Any]], object]


CROWDED = ("rate-limit", "client-ip", "in-flight")
DEVIATING = {"D1", "D2", "D3", "D4", "D5", "D6", "D9", "D10", "D12", "D13", "D16"}


@pytest.mark.parametrize(
    "scenario",
    [
        *("empty-session", "happy-path", "set-waiting-fields", "resume-fields", "not-found"),
        *("owner-isolation", "cancel-children/two", "cancel-children/acp-child", "lost-sweep"),
    ],
)
def test_the_answers_of_the_reference_are_as_recorded(scenario: str) -> None:
    assert {type(outcome) for outcome in play_reference(scenario).outcomes} == {AsRecorded}


def test_no_answer_of_the_reference_passes_for_a_deviation() -> None:
    quiet = [line for line in REFERENCE if line.scenario not in CROWDED]
    report = play(quiet, reference_answers(quiet))
    assert [name for deviation in ORDER for name in report.deviating(deviation)] == []
    assert {failure.deviation for failure in report.failures} == DEVIATING


def test_a_wrong_status_fails() -> None:
    report = play_changed("happy-path/create_flow", lambda answer: evolve(answer, status=201))
    assert_only_failure(report, "happy-path/create_flow", "status")


def test_a_connection_without_an_answer_fails() -> None:
    report = play_changed("happy-path/get_flow", lambda _: Observed(None, trouble="reset"))
    assert_only_failure(report, "happy-path/get_flow", "status")


@pytest.mark.parametrize(
    ("name", "change", "at"),
    [
        ("happy-path/get_flow", lambda b: b.update(ok=1), ".ok"),
        ("happy-path/get_flow", lambda b: b.update(routeId="twin"), ".routeId"),
        ("happy-path/get_flow", lambda b: b.update(code="found"), ".code"),
        ("happy-path/get_flow", lambda b: b["result"]["flow"].pop("goal"), ".result.flow.goal"),
        (
            "happy-path/get_flow",
            lambda b: b["result"]["flow"].update(currentStep=None),
            ".result.flow.currentStep",
        ),
        (
            "happy-path/get_flow",
            lambda b: b["result"]["flow"].update(revision=1),
            ".result.flow.revision",
        ),
        (
            "happy-path/get_flow",
            lambda b: b["result"]["flow"].update(createdAt=1),
            ".result.flow.createdAt",
        ),
        (
            "happy-path/get_flow",
            lambda b: b["result"]["flow"].update(flowId="another"),
            ".result.flow.flowId",
        ),
        ("not-found/set_waiting", lambda b: b.update(code="absent"), ".code"),
        ("not-found/set_waiting", lambda b: b.update(error="Flow not found."), ".error"),
        ("not-found/set_waiting", lambda b: b["result"].pop("code"), ".result.code"),
        (
            "cancel-children/two/cancel",
            lambda b: b["result"]["tasks"].reverse(),
            ".result.tasks[0].taskId",
        ),
        ("cancel-children/two/cancel", lambda b: b["result"]["tasks"].pop(), ".result.tasks"),
        ("cancel-children/two/cancel", lambda b: b.pop("code"), ".code"),
    ],
)
def test_a_wrong_field_fails(name: str, change: Change, at: str) -> None:
    report = play_changed(name, lambda answer: with_body(answer, change))
    assert_only_failure(report, name, at)


def test_a_task_that_is_given_out_as_a_new_one_again_fails() -> None:
    tasks: dict[str, str] = {}

    def repeat(line: Line, answer: Observed) -> Observed:
        body = json.loads(answer.body)
        if line.name == "run-task-options/minimal":
            tasks["minimal"] = body["result"]["task"]["taskId"]
        if line.name != "run-task-options/identical-again":
            return answer
        return with_body(answer, lambda b: b["result"]["task"].update(taskId=tasks["minimal"]))

    found = play_reference("run-task-options", repeat).failures
    assert found[0].differences[0].at == ".result.task.taskId"


def test_a_body_that_is_not_json_fails() -> None:
    report = play_changed("happy-path/get_flow", lambda answer: evolve(answer, body=b"{"))
    assert [failure.line.name for failure in report.failures] == ["happy-path/get_flow"]


@pytest.mark.parametrize("name", ["content-type", "x-content-type-options", "permissions-policy"])
def test_a_missing_header_fails(name: str) -> None:
    def without(answer: Observed) -> Observed:
        return evolve(answer, headers=tuple(pair for pair in answer.headers if pair[0] != name))

    assert_only_failure(play_changed("happy-path/get_flow", without), "happy-path/get_flow", name)


def test_lines_that_are_put_off_are_named_and_not_played() -> None:
    lines = lines_of("empty-session")
    wire = Playback(reference_answers(lines[1:]))
    options = Options(put_off=frozenset({"empty-session/list"}))
    report = replay(lines, wire, ROUTES, options=options)
    assert (report.names(PutOff), len(wire.sent)) == (["empty-session/list"], 5)


def test_a_line_about_an_unknown_client_is_not_played() -> None:
    line = evolve(line_named("client-ip/limited"), name="client-ip/unheard-of", seq=1)
    assert play([line], []).names(NotReproducible) == ["client-ip/unheard-of"]


def test_a_report_shows_request_expectation_and_answer_of_a_failure() -> None:
    text = str(play_changed("happy-path/create_flow", lambda answer: evolve(answer, status=201)))
    assert "   14 as recorded" in text
    assert "    1 differ without leave" in text
    assert 'POST /plugins/webhooks/zapier  {"action": "create_flow"' in text
    assert "status: expected 200, got 201" in text


def test_the_pause_before_the_sweep_is_kept() -> None:
    assert Options().pauses == {SWEEP: 25.0}


def play_changed(name: str, change: Callable[[Observed], Observed]) -> Report:
    """Replay a line's scenario with the reference's answers, that line's one changed."""
    return play_reference(
        line_named(name).scenario,
        lambda line, answer: change(answer) if line.name == name else answer,
    )


def with_body(answer: Observed, change: Change) -> Observed:
    """Change the JSON of an answer in place."""
    body = json.loads(answer.body)
    change(body)
    return evolve(answer, body=json.dumps(body).encode())


def assert_only_failure(report: Report, name: str, at: str) -> None:
    """Check that one line failed, and where."""
    (failure,) = report.failures
    assert isinstance(failure, Failed)
    assert (failure.line.name, failure.differences[0].at) == (name, at)
