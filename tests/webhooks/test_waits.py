"""Waits on the wire: until when, by a link, by a resume that comes early, by another key only."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from attrs import evolve

from domain.application.limits import Limits
from domain.application.ports import IssuedLink, StoreBusy
from domain.flow.events import FlowBeganWaiting, FlowResumedByLink
from domain.flow.ids import KeyId, RouteId
from tests.memory_store import WatchedStore
from tests.webhooks.gateway import NOW, SECRETS, Gateway, headers_for

FIRST = "token-1"
LINK = f"/resume/{FIRST}"


def waiting(gateway: Gateway, **given: Any) -> str:  # noqa: ANN401 - what is sent
    """Let a new flow wait and return its id."""
    flow_id = gateway.create()
    answer = gateway.ask("set_waiting", flowId=flow_id, expectedRevision=0, **given)
    assert answer["ok"], answer
    return flow_id


def follow(gateway: Gateway, path: str = LINK, **more: Any) -> tuple[int, Any]:  # noqa: ANN401 - what is sent
    answer = gateway.send(**{"body": b"", "path": path, "headers": [], **more})
    return answer.status_code, answer.json


def flow_of(gateway: Gateway, flow_id: str) -> dict[str, Any]:
    flow: dict[str, Any] = gateway.ask("get_flow", flowId=flow_id)["result"]["flow"]
    return flow


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("2026-12-01T00:00:00Z", 1_796_083_200_000),
        ("2026-12-01T01:00:00.5+01:00", 1_796_083_200_500),
        ("2026-12-01T00:00:00.123456789Z", 1_796_083_200_123),  # as Go writes its times
        (1_796_083_200_000, 1_796_083_200_000),
    ],
)
def test_a_wait_shows_until_when_it_lasts(gateway: Gateway, sent: object, shown: int) -> None:
    flow_id = waiting(gateway, until=sent, onTimeout="resume")
    flow = flow_of(gateway, flow_id)
    assert (flow["until"], flow["onTimeout"]) == (shown, "resume")
    gateway.ask("resume_flow", flowId=flow_id, expectedRevision=1)
    assert flow_of(gateway, flow_id).keys().isdisjoint({"until", "onTimeout"})


def test_a_wait_fails_its_flow_unless_it_says_otherwise(gateway: Gateway) -> None:
    flow = flow_of(gateway, waiting(gateway, until=NOW))
    assert list(flow)[-4:] == ["until", "onTimeout", "createdAt", "updatedAt"]
    assert flow["onTimeout"] == "fail"


def test_an_end_that_is_null_is_none_any_more(gateway: Gateway) -> None:
    flow_id = waiting(gateway, until=NOW)
    kept = gateway.ask("set_waiting", flowId=flow_id, expectedRevision=1, currentStep="s")
    assert kept["result"]["flow"]["until"] == NOW
    cleared = gateway.ask("set_waiting", flowId=flow_id, expectedRevision=2, until=None)
    assert cleared["result"]["flow"].keys().isdisjoint({"until", "onTimeout"})


@pytest.mark.parametrize(
    ("given", "issue"),
    [
        ({"until": "tomorrow"}, "until: Invalid input: expected an instant like"),
        ({"until": "2026-12-01"}, "until: Invalid input: expected an instant like"),
        ({"until": "2026-12-01T00:00:00"}, "until: Invalid input: expected an instant like"),
        ({"until": "2026-02-30T00:00:00Z"}, "until: Invalid input: expected an instant like"),
        ({"until": "1969-12-31T23:59:59Z"}, "until: Invalid input: expected an instant like"),
        ({"until": -1}, "until: Too small"),
        ({"until": True}, "until: Invalid input: expected number"),
        ({"until": 2**53}, "until: Too big"),
        ({"until": NOW, "onTimeout": "cancel"}, "onTimeout: Invalid option"),
        ({"until": NOW, "onTimeout": None}, "onTimeout: Invalid option"),
        ({"onTimeout": "fail"}, "onTimeout: onTimeout needs an until"),
        ({"resumeLink": 1}, "resumeLink: Invalid input: expected boolean"),
    ],
)
def test_what_is_no_end_of_a_wait_is_refused(
    gateway: Gateway, given: dict[str, Any], issue: str
) -> None:
    answer = gateway.ask("set_waiting", flowId=gateway.create(), expectedRevision=0, **given)
    assert answer["code"] == "invalid_request"
    assert answer["error"].startswith(issue)


def test_a_link_is_shown_once_and_only_its_hash_is_kept(gateway: Gateway) -> None:
    flow_id = gateway.create()
    document = {
        "action": "set_waiting",
        "flowId": flow_id,
        "expectedRevision": 0,
        "resumeLink": True,
    }
    key = [("Idempotency-Key", "k1")]
    first = gateway.post(document, headers=key)
    assert list(first.json["result"]) == ["applied", "flow", "resumeLink"]
    assert first.json["result"]["resumeLink"] == LINK
    assert "link" not in str(first.json["result"]["flow"]).lower()
    again = gateway.post(document, headers=key)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json["result"] == {**first.json["result"], "resumeLink": None}
    (began,) = (r.event for r in gateway.store.records if isinstance(r.event, FlowBeganWaiting))
    assert began.link_hash == hashlib.sha256(FIRST.encode()).hexdigest()
    assert FIRST not in str(gateway.store.records)


def test_whoever_follows_a_link_lets_the_flow_go_on_once(gateway: Gateway) -> None:
    flow_id = waiting(gateway, resumeLink=True)
    assert follow(gateway) == (
        200,
        {"ok": True, "result": {"applied": True, "flow": {"status": "queued"}}},
    )
    used = {
        "ok": False,
        "code": "link_used",
        "error": "The link has been used.",
        "result": {"applied": False, "code": "link_used", "current": {"status": "queued"}},
    }
    assert follow(gateway) == (410, used)
    assert flow_of(gateway, flow_id)["revision"] == 2
    last = gateway.store.records[-1]
    assert isinstance(last.event, FlowResumedByLink)
    actor = last.metadata.actor
    assert (actor.kind, actor.name, actor.key_id) == ("link", "zapier", "default")


def test_a_link_whose_wait_is_over_says_so(gateway: Gateway) -> None:
    flow_id = waiting(gateway, resumeLink=True)
    gateway.ask("resume_flow", flowId=flow_id, expectedRevision=1)
    over = {"applied": False, "code": "wait_over", "current": {"status": "queued"}}
    assert follow(gateway) == (
        409,
        {"ok": False, "code": "wait_over", "error": "The wait is over.", "result": over},
    )
    gateway.ask("cancel_flow", flowId=flow_id)
    status, answer = follow(gateway)
    assert (status, answer["code"]) == (409, "wait_over")


def test_a_new_link_takes_the_place_of_the_last_and_false_takes_it_back(gateway: Gateway) -> None:
    flow_id = waiting(gateway, resumeLink=True)
    gateway.ask("set_waiting", flowId=flow_id, expectedRevision=1, resumeLink=True)
    assert follow(gateway)[0] == 409
    gateway.ask("set_waiting", flowId=flow_id, expectedRevision=2, resumeLink=False)
    assert follow(gateway, "/resume/token-2")[0] == 409
    assert flow_of(gateway, flow_id)["status"] == "waiting"


@pytest.mark.parametrize("path", ["/resume/", "/resume/token-2", "/resume/token-1/", "/resume/ä/%"])
def test_what_is_no_link_is_not_found(gateway: Gateway, path: str) -> None:
    waiting(gateway, resumeLink=True)
    asked = len(gateway.store.asked)
    answer = {"ok": False, "code": "link_not_found", "error": "Not Found", "result": {}}
    assert follow(gateway, path) == (404, answer)
    assert gateway.store.asked[asked:] == ["find_link"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS"])
def test_only_post_follows_a_link(gateway: Gateway, method: str) -> None:
    flow_id = waiting(gateway, resumeLink=True)
    answer = gateway.send(b"", path=LINK, method=method, headers=[])
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert flow_of(gateway, flow_id)["status"] == "waiting"


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{}", 200), (b" \n", 200), (b'{"approved":false}', 400), (b"x" * 1025, 413)],
)
def test_a_link_has_no_place_for_what_a_body_says(
    gateway: Gateway, body: bytes, status: int
) -> None:
    flow_id = waiting(gateway, resumeLink=True)
    assert follow(gateway, body=body)[0] == status
    assert (flow_of(gateway, flow_id)["status"] == "queued") == (status == 200)


def test_no_log_has_a_link(gateway: Gateway) -> None:
    waiting(gateway, resumeLink=True)
    for path in (LINK, LINK, "/resume/unknown"):
        follow(gateway, path)
    assert [entry["action"] for entry in gateway.access_log[-3:]] == ["follow_link"] * 3
    assert FIRST not in str(gateway.access_log)
    assert "unknown" not in str(gateway.access_log)
    assert FIRST not in str(gateway.noted)


def test_links_have_a_rate_of_their_own_before_they_are_looked_up() -> None:
    gateway = Gateway(limits=Limits(rate_requests=2))
    assert [follow(gateway)[0] for _ in range(3)] == [404, 404, 429]
    assert gateway.store.asked.count("find_link") == 2
    assert gateway.ask("list_flows")["ok"]


def test_a_store_that_fails_leaves_a_link_as_it_was(gateway: Gateway) -> None:
    waiting(gateway, resumeLink=True)
    for method in ("find_link", "append_many"):
        gateway.store.broken = frozenset({method})
        status, answer = follow(gateway)
        assert (status, answer["code"], answer["ok"]) == (503, "persist_failed", False)
    gateway.store.broken = frozenset()
    assert follow(gateway)[0] == 200


def test_a_resume_that_comes_early_is_kept_for_the_wait(gateway: Gateway) -> None:
    flow_id = gateway.create()
    early = gateway.ask(
        "resume_flow", flowId=flow_id, expectedRevision=0, early=True, stateJson={"paid": True}
    )
    assert early["result"]["flow"]["revision"] == 0
    assert "stateJson" not in early["result"]["flow"]
    answer = gateway.ask("set_waiting", flowId=flow_id, expectedRevision=0, resumeLink=True)
    flow = answer["result"]["flow"]
    assert (flow["status"], flow["revision"], flow["stateJson"]) == ("queued", 2, {"paid": True})
    assert answer["result"]["resumeLink"] is None
    assert follow(gateway)[0] == 409


def test_a_resume_that_is_early_no_more_is_one_like_any_other(gateway: Gateway) -> None:
    flow_id = waiting(gateway)
    answer = gateway.ask("resume_flow", flowId=flow_id, expectedRevision=1, early=True)
    assert answer["result"]["flow"]["status"] == "queued"
    plain = gateway.ask("resume_flow", flowId=flow_id, expectedRevision=2, early=False)
    assert plain["result"]["flow"]["revision"] == 3


def with_separate_approver(gateway: Gateway) -> None:
    """Let the route zapier have two keys, of which the one that asks does not approve."""

    def identify(presented: str) -> KeyId | None:
        keys = {SECRETS["zapier"]: KeyId("default"), "second": KeyId("second")}
        return keys.get(presented)

    route = evolve(gateway.route(RouteId("zapier")), identify=identify, separate_approver=True)
    gateway.admission.swap(gateway.table([route, gateway.route(RouteId("twin"))]))


def as_second() -> list[tuple[str, str]]:
    return [headers_for("zapier")[0], ("Authorization", "Bearer second")]


def test_the_key_that_lets_a_flow_wait_may_not_resume_it(gateway: Gateway) -> None:
    with_separate_approver(gateway)
    flow_id = waiting(gateway)
    document = {"action": "resume_flow", "flowId": flow_id, "expectedRevision": 1}
    refused = gateway.post(document)
    sentence = "The key that let the flow wait may not resume it."
    assert (refused.status_code, refused.json["code"]) == (403, "same_approver")
    assert refused.json["error"] == sentence
    assert refused.json["result"]["current"]["status"] == "waiting"
    assert gateway.post({**document, "early": True}).status_code == 403
    approved = gateway.client.simulate_post(
        "/plugins/webhooks/zapier", json=document, headers=as_second()
    )
    assert approved.json["result"]["flow"]["status"] == "queued"


def test_another_route_of_the_owner_has_another_key(gateway: Gateway) -> None:
    with_separate_approver(gateway)
    flow_id = waiting(gateway)
    answer = gateway.ask("resume_flow", route="twin", flowId=flow_id, expectedRevision=1)
    assert answer["result"]["flow"]["status"] == "queued"


@pytest.mark.parametrize("given", [{"resumeLink": True}, {"until": NOW, "onTimeout": "resume"}])
def test_a_wait_for_another_key_ends_by_no_back_door(
    gateway: Gateway, given: dict[str, Any]
) -> None:
    with_separate_approver(gateway)
    document: dict[str, Any] = {"flowId": gateway.create(), "expectedRevision": 0, **given}
    answer = gateway.ask("set_waiting", **document)
    assert (answer["code"], answer["result"]["applied"]) == ("same_approver", False)


def test_a_resume_that_the_asking_key_sent_early_is_not_its_approval(gateway: Gateway) -> None:
    with_separate_approver(gateway)
    flow_id = gateway.create()
    gateway.ask("resume_flow", flowId=flow_id, expectedRevision=0, early=True)
    answer = gateway.ask("set_waiting", flowId=flow_id, expectedRevision=0)
    assert answer["result"]["flow"]["status"] == "waiting"


def test_a_link_that_cannot_be_looked_up_at_once_is_followed_aside(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting(gateway, resumeLink=True)
    find_link, busy = WatchedStore.find_link, [StoreBusy()]

    def find(store: WatchedStore, link_hash: str) -> IssuedLink | None:
        if busy:
            raise busy.pop()
        return find_link(store, link_hash)

    monkeypatch.setattr(WatchedStore, "find_link", find)
    assert follow(gateway)[0] == 200
    assert gateway.fault_log == []
