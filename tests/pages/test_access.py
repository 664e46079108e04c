from __future__ import annotations

from itertools import count
from typing import NoReturn

import pytest
from falcon.testing import TestClient

from adapters.pages.headers import CONTENT_SECURITY_POLICY
from adapters.pages.login_throttle import BURST, SECONDS, TRACKED_CLIENTS, LoginThrottle
from domain.application.ports import StoreUnavailable
from tests.pages.seeds import Seeds
from tests.pages.workbench import PASSWORD, Desk, seen

EVERYWHERE = ("/", "/flows/x", "/style.css", "/icon.svg", "/nowhere")


@pytest.mark.parametrize("path", EVERYWHERE)
@pytest.mark.parametrize("password", [None, "", "wrong"])
def test_without_the_password_nothing_is_shown(desk: Desk, path: str, password: str | None) -> None:
    answer = desk.get(path, password=password)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Basic realm="TaskFlow audit", charset="UTF-8"'
    assert "for auditors" in answer.text


@pytest.mark.parametrize(
    "header", ["Bearer abc", "Basic", "Basic %%%", "Basic YWJj", "basic  ", f"Basic {'A' * 999}"]
)
def test_another_header_is_no_password(desk: Desk, header: str) -> None:
    answer = TestClient(desk.app).simulate_get("/", headers={"Authorization": header})
    assert answer.status_code == 401


def test_a_client_that_fails_too_often_presents_its_password_twice(desk: Desk) -> None:
    for _ in range(BURST):
        assert desk.get("/", password="wrong").status_code == 401
    refused = desk.get("/")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "6")
    desk.seconds = 5.9
    assert (desk.get("/").status_code, desk.get("/").headers["retry-after"]) == (429, "1")
    desk.seconds = 6.0
    assert [desk.get("/").status_code for _ in range(9)] == [200] * 9


@pytest.mark.parametrize("guess", ["wrong", "wrong {}"])
def test_a_neighbour_who_guesses_on_keeps_nobody_out(desk: Desk, guess: str) -> None:
    seconds_in, compared = list[float](), 0
    for number in range(4_000):
        desk.seconds = number / 20
        compared += desk.get("/", password=guess.format(number)).status_code == 401
        if number % 120 == 60:  # comes when it likes, and again when it was asked to
            assert desk.get("/").status_code in {200, 429}
        if number % 120 == 119 and desk.get("/").status_code == 200:
            seconds_in.append(desk.seconds)
    assert seconds_in[0] < 12
    assert compared <= BURST + desk.seconds / SECONDS


def test_who_comes_back_with_each_guess_has_one_comparison_in_six_seconds() -> None:
    now = [0.0]
    throttle, compared = LoginThrottle(lambda: now[0]), 0
    for step in range(10_000):
        now[0] = step / 10
        for guess in range(max(0, step - 70), step):
            if not throttle.wait("client", guess):
                throttle.fail("client", guess)
                compared += 1
    assert BURST < compared <= BURST + now[0] / SECONDS + 1


def test_a_slowed_client_is_free_again_after_a_minute(desk: Desk) -> None:
    for _ in range(2):
        answers = [desk.get("/", password="wrong").status_code for _ in range(BURST + 1)]
        assert answers == [401] * BURST + [429]
        desk.seconds += 60.0
        assert desk.get("/").status_code == 200


def test_all_addresses_of_a_network_are_one_client(desk: Desk) -> None:
    numbers = count(1)
    desk.rearrange(
        client_of=lambda *_: f"2001:db8::{next(numbers)}", client_key=lambda _: "2001:db8::/64"
    )
    answers = [desk.get("/", password=f"wrong {n}").status_code for n in range(BURST + 1)]
    assert answers == [401] * BURST + [429]


def test_a_browser_that_asks_without_a_password_first_is_no_attempt(desk: Desk) -> None:
    for _ in range(2 * BURST):
        desk.get("/", password=None)
    assert desk.get("/").status_code == 200


@pytest.mark.parametrize("path", EVERYWHERE)
@pytest.mark.parametrize("password", [None, PASSWORD])
def test_every_answer_tells_browsers_to_do_next_to_nothing(
    desk: Desk, path: str, password: str | None
) -> None:
    headers = desk.get(path, password=password).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "no-store" in headers["cache-control"] or path.endswith((".css", ".svg"))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", EVERYWHERE)
def test_the_pages_are_only_for_reading(desk: Desk, path: str, method: str) -> None:
    answer = desk.get(path, method=method)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert "only for reading" in answer.text


def test_a_head_is_answered_like_a_get(desk: Desk, seeds: Seeds) -> None:
    for path in ("/", f"/flows/{seeds.busy}", "/style.css"):
        answer = desk.get(path, method="HEAD")
        assert (answer.status_code, answer.text) == (200, "")


def test_an_unknown_page_says_so(desk: Desk) -> None:
    answer = desk.get("/nowhere")
    assert answer.status_code == 404
    assert "There is no such page." in seen(answer.text).text


def test_each_request_is_logged_without_what_was_searched_for(desk: Desk) -> None:
    desk.get("/?q=secret+merger")
    assert desk.logged == [
        {
            "request_id": "page-1",
            "method": "GET",
            "path": "/",
            "status": 200,
            "ms": 0.0,
            "client": "127.0.0.1",
        }
    ]


def slow(throttle: LoginThrottle, client: str) -> None:
    for guess in range(BURST):
        throttle.fail(client, guess)


def test_a_slowed_client_is_not_forgotten_for_others() -> None:
    throttle = LoginThrottle(lambda: 0.0)
    slow(throttle, "first")
    for number in range(3 * TRACKED_CLIENTS):
        throttle.fail(f"{number}", 0)
    assert throttle.wait("first", -1) == 6


def test_where_all_are_slowed_a_new_client_is_slowed_too_and_not_kept_out() -> None:
    now = [0.0]
    throttle = LoginThrottle(lambda: now[0])
    for number in range(TRACKED_CLIENTS):
        slow(throttle, f"{number}")
    assert throttle.wait("new", 1) == 6
    now[0] = 6.0
    assert throttle.wait("new", 1) == 0
    now[0] = 66.0
    assert throttle.wait("newer", 1) == 0


def test_a_store_that_cannot_be_read_now_is_told_apart_from_a_fault(desk: Desk) -> None:
    unavailable, fault = StoreUnavailable("locked"), ValueError("ours")
    for error, status in ((unavailable, 503), (fault, 500)):

        def fail(*_: object, error: Exception = error) -> NoReturn:
            raise error

        desk.rearrange(client_of=fail)
        answer = desk.get("/")
        assert answer.status_code == status
    assert desk.faults == [unavailable, fault]
