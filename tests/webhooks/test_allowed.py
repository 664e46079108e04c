"""Keys that may do one thing, and what an answer says of a rate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest
from falcon.testing import Result

from adapters.settings.allowed_actions import ActionName
from adapters.webhooks.actions import ACTIONS
from domain.application.limits import Limits
from domain.flow.ids import FlowId, KeyId, RouteId
from domain.history.refused_requests import RefusedRequest
from tests.webhooks.gateway import NOW, SECRETS, Gateway
from tests.webhooks.minimal import MINIMAL
from tests.webhooks.signing import SECRET, deliver, github, signed_gateway

ALONE = "only-for-one-thing-4711"


def with_one_key(folder: Path, *may: str) -> Gateway:
    return signed_gateway(folder, secret=ALONE, may=list(may))


def asked(gateway: Gateway, document: object, secret: str = ALONE) -> Result:
    return gateway.send(json.dumps(document).encode(), headers=bearer(secret))


def bearer(secret: str) -> list[tuple[str, str]]:
    return [("Content-Type", "application/json"), ("Authorization", f"Bearer {secret}")]


def test_the_settings_know_every_action_in_order() -> None:
    assert get_args(ActionName) == tuple(ACTIONS)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_key_may_do_what_it_may_and_nothing_else(tmp_path: Path, action: str) -> None:
    own = with_one_key(tmp_path, action)
    for other in ACTIONS:
        answer = asked(own, {"action": other, **MINIMAL[other]})
        assert (answer.status_code == 403) is (other != action)
    assert len(own.store.records) == (action == "create_flow")


def test_a_refusal_says_which_action_and_is_kept_for_the_auditor(tmp_path: Path) -> None:
    gateway = with_one_key(tmp_path, "create_flow", "get_flow")
    flow_id = "01234567-89ab-cdef-0123-456789abcdef"
    answer = asked(gateway, {"action": "cancel_flow", "flowId": flow_id})
    assert (answer.status_code, answer.json) == (
        403,
        {
            "ok": False,
            "routeId": "zapier",
            "code": "action_not_allowed",
            "error": "This key may not use the action cancel_flow.",
            "result": {},
        },
    )
    assert gateway.noted == [
        RefusedRequest(
            at=NOW,
            route_id=RouteId("zapier"),
            key_id=KeyId("default"),
            action="cancel_flow",
            code="action_not_allowed",
            flow_id=FlowId(flow_id),
            request_id=gateway.access_log[0]["request_id"],
            remote_address="192.0.2.10",
        )
    ]


def test_each_key_has_its_own_share_of_what_the_route_may(tmp_path: Path) -> None:
    gateway = signed_gateway(
        tmp_path,
        secret=ALONE,
        secrets={"narrow": {"secret": SECRET, "may": ["get_flow", "cancel_flow"]}},
        may=["create_flow", "get_flow"],
    )
    for secret, allowed in ((ALONE, {"create_flow", "get_flow"}), (SECRET, {"get_flow"})):
        statuses = {
            name: asked(gateway, {"action": name, **MINIMAL[name]}, secret).status_code
            for name in ("create_flow", "get_flow", "cancel_flow")
        }
        assert {name for name, status in statuses.items() if status != 403} == allowed


def test_a_key_that_signs_may_do_one_thing_as_well(tmp_path: Path) -> None:
    gateway = signed_gateway(tmp_path, secret=SECRET, auth={"scheme": "github"}, may=["get_flow"])
    body = b'{"action": "create_flow", "goal": "g"}'
    assert deliver(gateway, github(body, 0), body)[0] == 403
    body = b'{"action": "get_flow", "flowId": "f"}'
    assert deliver(gateway, github(body, 0), body)[0] == 200


def test_a_caller_that_is_known_learns_what_is_left_of_its_rate(tmp_path: Path) -> None:
    limits = Limits(rate_requests=3, rate_window_seconds=60.5, announce_rate=True)
    gateway = signed_gateway(tmp_path, limits, secret=ALONE)
    answer = gateway.send(b"{}", route="twin", headers=bearer(SECRETS["twin"]))
    assert answer.status_code == 400
    assert answer.headers["ratelimit-policy"] == '"default";q=3;w=61'
    assert answer.headers["ratelimit"] == '"default";r=2;t=61'
    gateway.uptime = 60.0
    answer = gateway.send(b"{}", route="twin", headers=bearer(SECRETS["twin"]))
    assert answer.headers["ratelimit"] == '"default";r=1;t=1'
    gateway.uptime = 60.5
    answer = gateway.send(b"{}", route="twin", headers=bearer(SECRETS["twin"]))
    assert answer.headers["ratelimit"] == '"default";r=2;t=61'


def test_a_signed_request_learns_it_too_and_a_stranger_does_not(tmp_path: Path) -> None:
    limits = Limits(announce_rate=True)
    gateway = signed_gateway(tmp_path, limits, secret=SECRET, auth={"scheme": "github"})
    body = b'{"action": "list_flows"}'
    json_type = ("Content-Type", "application/json")
    known = gateway.send(body, headers=[json_type, *github(body, 0)])
    assert known.headers["ratelimit"] == '"default";r=119;t=60'
    unknown = gateway.send(body, headers=[json_type])
    assert unknown.status_code == 401
    assert "ratelimit" not in unknown.headers
    assert "ratelimit-policy" not in unknown.headers


def test_without_the_setting_no_answer_says_it(gateway: Gateway) -> None:
    answer = gateway.post({"action": "list_flows"})
    assert answer.status_code == 200
    assert not [name for name in answer.headers if "rate" in name.lower()]
