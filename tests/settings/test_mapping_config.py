"""`map` of a route: what is read of it, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.composition.mappings import check_map, payload_map
from adapters.settings import SettingsError, load_settings
from adapters.webhooks.mapping.mapping import ActionTemplate
from tests.settings.workbench import SECRET, loaded, one_route, the_route, with_routes, written

CREATE = {"action": "create_flow", "fields": {"goal": "{title}"}}
MAP = {
    "event": "{headers.x-event}.{action|}",
    "delivery": "{headers.x-delivery}",
    "form": "payload",
    "rules": [
        {"on": ["issue.opened"], "when": {"issue.locked": False, "n": 1, "x": None}, **CREATE},
        {"on": ["hello"], "answer": {"challenge": "{challenge}"}},
    ],
}

ENDING = {"flowId": "{f}", "taskId": "{t}", "error": "{why}"}


def faults(folder: Path, **changes: object) -> list[str]:
    """Return what is wrong with a map, without its place."""
    path = written(folder, one_route(map={**MAP, **changes}))
    with pytest.raises(SettingsError) as caught:
        load_settings(path, {}, check_map)
    place = "plugins.entries.webhooks.config.routes.zapier."
    return [f"{one.path.removeprefix(place)}: {one.sentence}" for one in caught.value.problems]


def rule(**given: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {**CREATE, **given}


def test_a_map_is_read(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, one_route(map=MAP)), {}, check_map)
    payloads = payload_map(the_route(settings).map)
    assert payloads is not None
    assert payloads.form == "payload"
    first, second = payloads.rules
    assert first.on == frozenset({"issue.opened"})
    assert [(place.written, wanted) for place, wanted in first.when] == [
        ("issue.locked", False),
        ("n", 1),
        ("x", None),
    ]
    assert isinstance(first.then, ActionTemplate)
    assert not isinstance(second.then, ActionTemplate)


def test_a_route_needs_none(tmp_path: Path) -> None:
    route = the_route(loaded(tmp_path, one_route()))
    assert route.map is None
    assert payload_map(route.map) is None


TEMPLATE = "placeholders like {a.b} or {a.b|none}, and {{ or }} for braces"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"rules": []}, ["map.rules: expected at least one rule, found none"]),
        ({"rule": []}, ["map.rule: expected one of the keys event, delivery, form or rules"]),
        ({"rules": {}}, ["map.rules: expected an array of rules, found an object"]),
        ({"form": "json"}, ["map.form: expected one of fields or payload, found another string"]),
        ({"event": "{a"}, [f"map.event: expected {TEMPLATE}, found another text"]),
        ({"delivery": "{{json a}}"}, ["map.delivery: expected a text, not {{json ...}}"]),
        (
            {"event": None},
            ["map.event: expected a non-empty string, found null"],
        ),
        ({"rules": [rule(on="a")]}, ["map.rules[0].on: expected an array of types of events"]),
        (
            {"rules": [{"on": ["a"]}]},
            ["map.rules[0]: expected either an action or an answer, found neither"],
        ),
        (
            {"rules": [rule(answer={})]},
            ["map.rules[0]: expected either an action or an answer, found both"],
        ),
        (
            {"rules": [{"answer": {}, "fields": {"goal": "g"}}]},
            ["map.rules[0].fields: expected an action, which fields are for"],
        ),
        (
            {"rules": [rule(when={"a": {}})]},
            ["map.rules[0].when.a: expected a string, a number, true, false or null"],
        ),
        (
            {"rules": [rule(when={"a b": 1})]},
            ['map.rules[0].when["a b"]: expected a path like pull_request.merged, found a number'],
        ),
        (
            {"rules": [rule(unless={"a..b": None})]},
            ['map.rules[0].unless["a..b"]: expected a path like pull_request.merged, found null'],
        ),
        (
            {"rules": [rule(action="get_flow")]},
            ["map.rules[0].action: expected one of the actions create_flow, set_waiting"],
        ),
        (
            {"rules": [rule(skip=["same_approver", "terminal", "unauthorized"])]},
            [
                f"map.rules[0].skip[{index}]: expected one of the codes not_found, task_not_found"
                for index in (0, 2)
            ],
        ),
        (
            {"rules": [{"answer": {}, "skip": ["terminal"]}]},
            ["map.rules[0].skip: expected an action, whose refusals are skipped"],
        ),
        (
            {"rules": [rule(fields={"gaol": "g"})]},
            [
                "map.rules[0].fields.goal: expected what create_flow requires: goal",
                "map.rules[0].fields.gaol: expected a field of create_flow: controllerId, goal",
            ],
        ),
        (
            {"rules": [rule(action="finish_flow", fields={"stateJson": 1})]},
            [
                "map.rules[0].fields.flowId: expected what finish_flow requires: flowId or corr",
            ],
        ),
        (
            {
                "rules": [
                    rule(action="finish_flow", fields={"flowId": "{a}", "correlationKey": "{b}"})
                ]
            },
            ["map.rules[0].fields.flowId: expected what finish_flow requires: flowId or corr"],
        ),
        (
            {"rules": [rule(fields={"goal": 3, "stateJson": ["{a.b}", {"c": "}"}]})]},
            [
                "map.rules[0].fields.goal: expected what create_flow takes (Invalid input",
                f"map.rules[0].fields.stateJson[1].c: expected {TEMPLATE}, found another text",
            ],
        ),
        (
            {"rules": [rule(action="finish_flow", fields={"flowId": "{f}", "stateJson": "\0"})]},
            ["map.rules[0].fields.stateJson: expected a JSON value without NUL"],
        ),
        (
            {"rules": [rule(on=[]), rule(on=["issue."])]},
            [f"map.rules[{i}].on: expected at least one type, without a dot" for i in (0, 1)],
        ),
        (
            {"rules": [rule(action="set_waiting", fields={"flowId": "{f}", "onTimeout": "{t}"})]},
            ["map.rules[0].fields: expected what set_waiting takes (onTimeout: onTimeout needs"],
        ),
        (
            {"rules": [rule(action="update_task", fields={**ENDING, "status": "running"})]},
            ["map.rules[0].fields: expected what update_task takes (status: status must be term"],
        ),
        (
            {"rules": [rule(fields={"goal": "{headers.authorization}"})]},
            ["map.rules[0].fields.goal: expected a header that holds no secret"],
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place(
    tmp_path: Path, changes: dict[str, object], expected: list[str]
) -> None:
    found = faults(tmp_path, **changes)
    assert len(found) == len(expected), found
    for one, begins in zip(found, expected, strict=True):
        assert one.startswith(begins), found


@pytest.mark.parametrize("status", ["failed", "{status}"])
def test_fields_that_may_fit_together_are_taken(tmp_path: Path, status: str) -> None:
    given = rule(action="update_task", fields={**ENDING, "status": status})
    waits = rule(
        action="set_waiting", fields={"flowId": "{f}", "until": "{u}", "onTimeout": "fail"}
    )
    known = {**MAP, "rules": [given, waits]}
    load_settings(written(tmp_path, one_route(map=known)), {}, check_map)


@pytest.mark.parametrize("place", ["event", "delivery", "goal"])
def test_no_header_with_a_signature_of_the_route_is_mapped(tmp_path: Path, place: str) -> None:
    auth = {"scheme": "hmac-sha256", "header": "X-Acme-Proof", "idHeader": "X-Acme-Id"}
    auth["signed"] = "{id}.{body}"

    def loads(text: str) -> None:
        fields = {"goal": text if place == "goal" else "{headers.x-acme-id}"}
        given = {**MAP, "rules": [rule(fields=fields)]} | ({} if place == "goal" else {place: text})
        load_settings(written(tmp_path, one_route(map=given, auth=auth)), {}, check_map)

    loads("of {headers.X-Acme-Id}")
    with pytest.raises(SettingsError, match="expected a header that does not hold the route's sig"):
        loads("of {headers.X-Acme-PROOF}")


def test_a_rule_for_some_types_needs_their_template(tmp_path: Path) -> None:
    without = {key: value for key, value in MAP.items() if key != "event"}
    path = written(tmp_path, one_route(map=without))
    with pytest.raises(SettingsError, match=r"rules\[0\]\.on: expected event beside rules"):
        load_settings(path, {}, check_map)


def test_a_map_asks_for_what_a_key_of_the_route_may_use(tmp_path: Path) -> None:
    keys = {
        "ops": {"secret": SECRET, "may": ["finish_flow"]},
        "ci": {"secret": "another secret of some length", "may": ["get_flow", "create_flow"]},
    }

    def loads(**given: object) -> None:
        both = {"map": MAP, "secret": None, "secrets": keys, **given}
        fields = {name: value for name, value in both.items() if value is not None}
        document = with_routes({"zapier": {"sessionKey": "s", **fields}})
        load_settings(written(tmp_path, document), {}, check_map)

    loads()
    loads(secrets={"ops": SECRET, "ci": keys["ops"]})
    with pytest.raises(SettingsError, match=r"rules\[0\]\.action: expected an action that a key"):
        loads(secrets={"ops": keys["ops"]})


LINKED = {"resumeLink": True}
TIMED = {"until": "{u}", "onTimeout": "resume"}


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        (LINKED, "resumeLink: expected no link, as the route has separateApprover, found true"),
        (TIMED, "onTimeout: expected fail, as the route has separateApprover, found resume"),
        ({"resumeLink": False, "until": "{u}", "onTimeout": "fail"}, None),
        ({"until": "{u}", "onTimeout": "{t}"}, None),
        ({"until": None, "onTimeout": "resume"}, None),
    ],
)
def test_a_wait_for_another_key_ends_by_no_link_and_by_no_time(
    tmp_path: Path, fields: dict[str, object], fault: str | None
) -> None:
    waits = rule(action="set_waiting", fields={"flowId": "{f}", **fields})
    given = {**MAP, "rules": [waits]}

    def load(*, separate: bool) -> None:
        document = one_route(map=given, separateApprover=separate)
        load_settings(written(tmp_path, document), {}, check_map)

    load(separate=False)
    if fault is None:
        load(separate=True)
        return
    with pytest.raises(SettingsError) as caught:
        load(separate=True)
    (problem,) = caught.value.problems
    assert f"{problem.path}: {problem.sentence}".endswith(f".map.rules[0].fields.{fault}")


def test_a_not_a_number_is_no_json(tmp_path: Path) -> None:
    text = """{plugins: {entries: {webhooks: {config: {routes: {r: {sessionKey: "s", secret: "long
     enough to be one", map: {rules: [{action: "create_flow", fields: {goal: "g",
     stateJson: [NaN]}}]}}}}}}}}""".replace("\n     ", " ")
    with pytest.raises(SettingsError, match="stateJson: expected a JSON value without NUL, NaN"):
        load_settings(written(tmp_path, text), {}, check_map)
