from __future__ import annotations

from typing import NoReturn

import pytest
from falcon.testing import TestClient

from adapters.pages.attempts import MOST, TRACKED, FailedAttempts
from adapters.pages.headers import CONTENT_SECURITY_POLICY
from domain.ports import StoreUnavailable
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


def test_an_address_that_fails_too_often_must_wait(desk: Desk) -> None:
    for _ in range(MOST):
        assert desk.get("/", password="wrong").status_code == 401
    refused = desk.get("/")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
    desk.seconds = 60.0
    assert desk.get("/").status_code == 200


def test_a_browser_that_asks_without_a_password_first_is_no_attempt(desk: Desk) -> None:
    for _ in range(2 * MOST):
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


def test_only_so_many_addresses_are_remembered() -> None:
    attempts = FailedAttempts(lambda: 0.0)
    for _ in range(MOST):
        attempts.count("first")
    assert attempts.wait("first") == 60
    for number in range(TRACKED):
        attempts.count(f"{number}")
    assert attempts.wait("first") == 0


def test_a_store_that_cannot_be_read_now_is_told_apart_from_a_fault(desk: Desk) -> None:
    unavailable, fault = StoreUnavailable("locked"), ValueError("ours")
    for error, status in ((unavailable, 503), (fault, 500)):

        def fail(*_: object, error: Exception = error) -> NoReturn:
            raise error

        desk.rearrange(client_of=fail)
        answer = desk.get("/")
        assert answer.status_code == status
    assert desk.faults == [unavailable, fault]
