"""`taskflow explain` over real configurations, stores and files."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
from attrs import evolve

from adapters.composition.explaining import explain_payload
from adapters.store import open_for_writing
from domain.flow.commands import CreateFlow, FinishFlow
from domain.flow.ids import FlowId, Owner
from tests.cli.workbench import Ran, bench, flow_id, taskflow, tools_over
from tests.settings.workbench import SECRET, route, with_routes, written

TOOLS: Final = evolve(tools_over(), explain=explain_payload)
MAP: Final = {
    "event": "{headers.x-event}.{action|}",
    "delivery": "{headers.x-delivery|}",
    "rules": [
        {
            "on": ["issue.opened"],
            "action": "create_flow",
            "fields": {"goal": "Look at {issue.title}", "stateJson": "{{json issue.labels}}"},
        },
        {"on": ["issue.closed"], "action": "finish_flow", "fields": {"flowId": "{issue.flow}"}},
        {"on": ["hello"], "answer": {"challenge": "{challenge}"}},
    ],
}
OPENED: Final = {"action": "opened", "issue": {"title": "It leaks", "labels": ["a", 1]}}
EVENT: Final = "X-Event: issue\nX-Delivery: d-1\n"


def explained(
    folder: Path,
    payload: object,
    headers: str | None = EVENT,
    *options: str,
    url: str | None = None,
    **routes: object,
) -> Ran:
    """Run the command on files of a folder."""
    routes = routes or {"tracker": route(map=MAP)}
    store = {"store": {"url": url or f"sqlite:///{folder}/flows.db"}}
    config = written(folder, with_routes(routes, taskflow=store))
    (folder / "payload").write_bytes(
        payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    )
    given = ["--route", "tracker", "--payload", str(folder / "payload"), "--config", str(config)]
    if headers is not None:
        (folder / "headers").write_text(headers, encoding="latin-1")
        given += ["--headers", str(folder / "headers")]
    return taskflow(TOOLS, "explain", *given, *options)


def document(ran: Ran, code: int = 0) -> dict[str, Any]:
    assert (ran.code, ran.err) == (code, "")
    found: dict[str, Any] = json.loads(ran.out)
    return found


def steps(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(step["name"], step["found"]) for step in found["steps"]]


def test_each_step_is_shown_with_the_action_and_the_answer(tmp_path: Path) -> None:
    found = document(explained(tmp_path, OPENED, EVENT, "--json"))
    assert steps(found) == [
        ("route", "POST /plugins/webhooks/tracker"),
        ("authentication", "not tried: --authenticate tries it; taken for key default"),
        ("event type", "issue.opened"),
        ("rule", "rules[0]: create_flow"),
        ("{issue.title}", "It leaks"),
        ("{{json issue.labels}}", '["a",1]'),
        ("{headers.x-delivery|}", "d-1"),
    ]
    fields = {"goal": "Look at It leaks", "stateJson": ["a", 1]}
    assert found["command"] == {"action": "create_flow", **fields}
    assert found["answer"]["status"] == 200
    assert found["answer"]["body"]["result"]["flow"]["goal"] == "Look at It leaks"
    assert {file.name for file in tmp_path.iterdir()} == {"gateway.json5", "payload", "headers"}


def test_it_is_shown_to_people(tmp_path: Path) -> None:
    ran = explained(tmp_path, OPENED)
    assert (ran.code, ran.err) == (0, "")
    assert "{issue.title}                   It leaks\n" in ran.out
    assert '"goal": "Look at It leaks"' in ran.out
    assert "Status 200\n" in ran.out


def test_flows_are_read_as_they_are_and_stay_so(tmp_path: Path) -> None:
    with closing(open_for_writing(f"sqlite:///{tmp_path}/flows.db")) as store:
        opened = bench(store)
        for _ in range(2):
            opened.execute(CreateFlow(goal="g", controller_id="c"))
        opened.execute(FinishFlow(flow_id=flow_id(2), expected_revision=0))
    for number, status, code in ((1, 200, 0), (2, 409, 1), (9, 404, 1), (1, 200, 0)):
        closed = {"action": "closed", "issue": {"flow": flow_id(number)}}
        found = document(explained(tmp_path, closed, EVENT, "--json"), code)
        assert found["answer"]["status"] == status
    with closing(open_for_writing(f"sqlite:///{tmp_path}/flows.db")) as store:
        flow = store.find(Owner("agent:main:main"), FlowId(flow_id(1)))
    assert flow is not None
    assert flow.version == 1


@pytest.mark.parametrize(
    ("payload", "headers", "last", "status"),
    [
        (OPENED, None, "{headers.x-event}: nothing is there, and it has no default", 422),
        ({"action": "opened"}, EVENT, "nothing is there, and it has no default", 422),
        ({"action": "deleted"}, EVENT, "no rule is for it, so it is skipped", 200),
        (b"{", EVENT, "byte 1: the body ends too early", 400),
        (OPENED, EVENT + "Content-Type: text/plain\n", "expected application/json or", 415),
        (b" " * 262_145, EVENT, "more than 262,144 bytes", 413),
        ({"challenge": "c"}, "X-Event: hello\n", "c", 200),
    ],
)
def test_the_first_step_that_stops_is_shown(
    tmp_path: Path, payload: object, headers: str | None, last: str, status: int
) -> None:
    found = document(explained(tmp_path, payload, headers, "--json"), int(status >= 400))
    assert any(step.startswith(last) for _, step in steps(found))
    assert found["answer"]["status"] == status
    assert found["command"] is None


def test_no_more_is_read_of_a_file_than_may_be_sent(tmp_path: Path) -> None:
    endless = tmp_path / "endless"
    with endless.open("wb") as file:
        file.truncate(1 << 42)  # there is no memory for all of it
    ran = explained(tmp_path, OPENED, EVENT, "--payload", str(endless), "--json")
    assert ("size", "more than 262,144 bytes") in steps(document(ran, 1))
    ran = explained(tmp_path, OPENED, EVENT, "--headers", str(endless))
    assert ran.code == 2
    assert ran.err == f"taskflow: {endless}: too large for the headers of a request\n"


@pytest.mark.parametrize(
    ("headers", "seen", "status"),
    [
        (f"Authorization: Bearer {SECRET}\n", "key default", 200),
        (f"X-OpenClaw-Webhook-Secret: {SECRET}\n", "key default", 200),
        ("Authorization: Bearer no\n", "it presents no key of the route", 401),
        ("", "it presents no key of the route", 401),
    ],
)
def test_the_sender_is_looked_at_where_that_is_asked_for(
    tmp_path: Path, headers: str, seen: str, status: int
) -> None:
    ran = explained(tmp_path, OPENED, EVENT + headers, "--json", "--authenticate")
    found = document(ran, int(status >= 400))
    assert ("authentication", seen) in steps(found)
    assert found["answer"]["status"] == status
    assert SECRET not in ran.out


def test_a_signature_is_looked_at_too(tmp_path: Path) -> None:
    keys = {"reader": {"secret": SECRET, "may": ["get_flow"]}, "writer": SECRET[::-1]}
    fields = {"sessionKey": "agent:main:main", "secrets": keys, "auth": {"scheme": "github"}}
    signed = {**fields, "map": MAP}
    body = json.dumps(OPENED).encode()
    digest = hmac.new(SECRET.encode(), body, "sha256").hexdigest()
    for headers, seen, status in (
        (f"{EVENT}X-Hub-Signature-256: sha256={digest}\n", "key reader", 403),
        (
            f"{EVENT}Authorization: Bearer {SECRET}\n",
            "it is signed by no key of the route, or at another time",
            401,
        ),
    ):
        ran = explained(tmp_path, OPENED, headers, "--json", "--authenticate", tracker=signed)
        found = document(ran, 1)
        assert ("authentication", seen) in steps(found)
        assert found["answer"]["status"] == status
    large = document(explained(tmp_path, b" " * 65_537, EVENT, "--json", tracker=signed), 1)
    assert large["answer"]["status"] == 413


def test_no_secret_is_looked_up_but_the_routes_and_only_if_asked(tmp_path: Path) -> None:
    command = tmp_path / "hand-out"
    command.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n", "utf-8")
    command.chmod(0o700)
    ref = {"source": "exec", "provider": "out", "id": "x"}
    providers = {"out": {"source": "exec", "command": str(command)}}
    routes = {"tracker": route(map=MAP), "other": {**route(), "secret": ref}}
    config = written(tmp_path, with_routes(routes, secrets={"providers": providers}))
    (tmp_path / "payload").write_text("{}", "utf-8")
    for options in ((), ("--authenticate",)):
        given = ("--route", "tracker", "--payload", f"{tmp_path}/payload", *options)
        assert taskflow(TOOLS, "explain", *given, "--config", str(config)).code == 1
        assert not (tmp_path / "ran").exists()
    given = ("--route", "other", "--payload", f"{tmp_path}/payload", "--authenticate")
    ran = taskflow(TOOLS, "explain", *given, "--config", str(config))
    assert (ran.code, ran.err) == (2, "taskflow: no secret of route other can be looked up\n")
    assert (tmp_path / "ran").exists()


def test_a_route_without_a_map_is_explained_too(tmp_path: Path) -> None:
    body = {"action": "create_flow", "goal": "g"}
    found = document(explained(tmp_path, body, None, "--json", tracker=route()))
    assert found["command"] == body
    refused = document(explained(tmp_path, {"action": "x"}, None, "--json", tracker=route()), 1)
    assert refused["answer"]["body"]["code"] == "invalid_request"


def test_a_store_that_cannot_be_asked_is_no_empty_one(tmp_path: Path) -> None:
    nowhere = "postgresql://taskflow@127.0.0.1:1/flows"
    ran = explained(tmp_path, OPENED, EVENT, url=nowhere)
    assert (ran.code, ran.out, ran.err[:9]) == (2, "", "taskflow:")
    assert explained(tmp_path, OPENED, EVENT, url="sqlite://:memory:").code == 0


def test_what_the_user_must_correct_is_said(tmp_path: Path) -> None:
    def trouble(*args: object, **routes: object) -> str:
        ran = explained(tmp_path, *args, **routes)  # type: ignore[arg-type] # as above
        assert (ran.code, ran.out) == (2, "")
        return ran.err

    assert trouble(OPENED, EVENT, other=route()) == (
        "taskflow: no route tracker is served; there are: other\n"
    )
    assert trouble(OPENED, "X-Event: issue\nno header\n").endswith(
        "headers:2: expected a header like X-GitHub-Event: ping\n"
    )
    (tmp_path / "flows.db").write_bytes(b"no database" * 99)
    assert "flows.db" in trouble(OPENED)
    broken = {**MAP, "event": "{a"}
    assert "map.event: expected placeholders" in trouble(OPENED, tracker=route(map=broken))
