"""A signed request until it is known who sends it: smaller limits, and nothing that it can do."""

from __future__ import annotations

from pathlib import Path

from adapters.webhooks.permits import RoutePermit, UnverifiedPermit
from adapters.webhooks.responses import UNAUTHORIZED
from domain.application.limits import Limits
from tests.webhooks.gateway import CLIENT, Gateway, a_head, path_of
from tests.webhooks.signing import SENDERS, HeadersSent, by_hand, deliver, gateway_of, github

BODY = b'{"action": "create_flow", "goal": "ship it"}'
JSON_TYPE = ("Content-Type", "application/json")
UNKNOWN = Limits(
    rate_requests=1_000, in_flight=2, unverified_in_flight=3, unverified_total=4, body_seconds=9.0
)


def signed(folder: Path, limits: Limits = UNKNOWN) -> Gateway:
    return gateway_of(SENDERS["github"], folder, limits)


def let_in(gateway: Gateway, peer: str = CLIENT, headers: HeadersSent | None = None) -> object:
    head = a_head([JSON_TYPE, *(headers or [])], target=path_of("zapier"), peer=peer)
    verdict = gateway.admission.admit(head)
    return verdict if isinstance(verdict, UnverifiedPermit) else getattr(verdict, "code", None)


def test_a_signed_request_is_let_in_without_being_known(tmp_path: Path) -> None:
    gateway = signed(tmp_path)
    permit = let_in(gateway)
    assert isinstance(permit, UnverifiedPermit)
    assert not permit.is_authenticated
    assert permit.body_bounds == (65_536, 5.0)
    assert (permit.context.key_id, permit.context.route_id) == (None, "zapier")
    assert permit.route_id is None  # what an answer may show
    assert gateway.access_log == []


def test_the_bounds_of_a_body_are_the_smaller_ones(tmp_path: Path) -> None:
    limits = Limits(body_bytes=1000, body_seconds=2.0)
    permit = let_in(signed(tmp_path, limits))
    assert isinstance(permit, UnverifiedPermit)
    assert permit.body_bounds == (1000, 2.0)


def test_places_of_those_who_are_not_known_are_counted_per_client_and_in_all(
    tmp_path: Path,
) -> None:
    gateway = signed(tmp_path)
    permits = [let_in(gateway) for _ in range(3)]
    assert let_in(gateway) == "too_many_in_flight"
    assert isinstance(let_in(gateway, "192.0.2.11"), UnverifiedPermit)
    assert let_in(gateway, "192.0.2.12") == "too_many_in_flight"
    assert isinstance(permits[0], UnverifiedPermit)
    permits[0].release()
    permits[0].release()
    assert isinstance(let_in(gateway, "192.0.2.12"), UnverifiedPermit)
    assert let_in(gateway, "192.0.2.12") == "too_many_in_flight"


def test_who_finds_no_place_among_all_keeps_none_of_its_own(tmp_path: Path) -> None:
    gateway = signed(tmp_path)
    permits = [let_in(gateway, f"192.0.2.{number}") for number in range(4)]
    assert [let_in(gateway) for _ in range(5)] == ["too_many_in_flight"] * 5
    for permit in permits:
        assert isinstance(permit, UnverifiedPermit)
        permit.release()
    assert [type(let_in(gateway)) for _ in range(3)] == [UnverifiedPermit] * 3


def test_who_is_known_takes_a_place_among_those_in_flight(tmp_path: Path) -> None:
    gateway = signed(tmp_path)
    permits = [let_in(gateway, headers=github(BODY, 0)) for _ in range(3)]
    verified = []
    for permit in permits:
        assert isinstance(permit, UnverifiedPermit)
        verified.append(gateway.admission.verify(permit, BODY))
    assert [type(one) is RoutePermit for one in verified] == [True, True, False]
    assert getattr(verified[2], "code", None) == "too_many_in_flight"
    # The first two left their places; the third has its own until its answer is sent.
    more = [let_in(gateway, headers=github(BODY, 0)) for _ in range(2)]
    assert [type(one) for one in more] == [UnverifiedPermit] * 2
    assert let_in(gateway) == "too_many_in_flight"
    assert isinstance(permits[0], UnverifiedPermit)
    assert (permits[0].context.key_id, permits[0].route_id) == ("default", "zapier")
    permits[0].release()
    assert isinstance(more[0], UnverifiedPermit)
    assert isinstance(gateway.admission.verify(more[0], BODY), RoutePermit)


def test_whose_signature_is_wrong_is_known_no_better(tmp_path: Path) -> None:
    gateway = signed(tmp_path)
    permit = let_in(gateway, headers=github(BODY, 0))
    assert isinstance(permit, UnverifiedPermit)
    assert gateway.admission.verify(permit, BODY + b" ") is UNAUTHORIZED
    assert (permit.context.key_id, permit.route_id) == (None, None)


def test_every_request_counts_for_the_rate(tmp_path: Path) -> None:
    gateway = signed(tmp_path, Limits(rate_requests=2))
    assert deliver(gateway, [], BODY)[0] == 401
    assert deliver(gateway, github(BODY, 0), BODY)[0] == 200
    assert deliver(gateway, github(BODY, 0), BODY)[0] == 429


def test_a_body_that_is_too_long_is_refused_before_and_after_it_was_read(tmp_path: Path) -> None:
    gateway = signed(tmp_path, Limits(unverified_body_bytes=len(BODY)))
    assert deliver(gateway, github(BODY, 0), BODY)[0] == 200
    longer = BODY + b" "
    declared = ("Content-Length", str(len(longer)))
    for headers in ([declared, *github(longer, 0)], github(longer, 0)):
        status, answer = deliver(gateway, headers, longer)
        assert status == 413
        assert b"routeId" not in answer
    assert [entry["code"] for entry in gateway.access_log[1:]] == ["payload_too_large"] * 2


def test_a_fault_before_it_is_known_who_asks_names_no_route(tmp_path: Path) -> None:
    gateway = signed(tmp_path)
    permit = let_in(gateway)
    assert isinstance(permit, UnverifiedPermit)
    permit.counted = None  # type: ignore[assignment]
    object.__setattr__(permit.route, "verify", None.__class__)
    status, answer = gateway.run_admitted(permit, BODY)
    assert status == 500
    assert b"routeId" not in answer


def test_what_follows_a_signature_is_an_ordinary_request(tmp_path: Path) -> None:
    gateway = signed(tmp_path)
    for body, code in ((b"[", "invalid_json"), (b"{}", "invalid_request")):
        status, answer = deliver(gateway, github(body, 0), body)
        assert status == 400
        assert b'"routeId":"zapier"' in answer
        assert gateway.access_log[-1]["code"] == code
        assert gateway.access_log[-1]["key_id"] == "default"
    key = ("Idempotency-Key", "delivery-1")
    first = deliver(gateway, [*github(BODY, 0), key], BODY)
    assert deliver(gateway, [*github(BODY, 0), key], BODY) == first
    assert len(gateway.store.records) == 1


def test_neither_the_key_nor_the_signature_that_was_expected_is_shown(tmp_path: Path) -> None:
    sender = SENDERS["github"]
    gateway = signed(tmp_path)
    expected = by_hand(sender.secret, BODY)
    permit = let_in(gateway, headers=[("X-Hub-Signature-256", "sha256=" + "0" * 64)])
    assert isinstance(permit, UnverifiedPermit)
    answer = gateway.run_admitted(permit, BODY)
    shown = repr((answer, gateway.access_log, gateway.noted, gateway.fault_log, permit))
    assert "zapier" in shown
    for secret in (sender.secret, expected.hexdigest(), repr(expected.digest())[2:-1]):
        assert secret not in shown
