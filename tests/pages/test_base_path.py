"""The pages below a path: every address has it, and nobody but a trusted proxy chooses it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import pytest
from falcon.testing import Result, TestClient

from adapters.pages import render_error_page
from domain.flow.ids import RequestId
from tests.pages.seeds import Seeds
from tests.pages.workbench import PASSWORD, USER, Desk, basic, seen

PAGES: tuple[Callable[[Seeds], str], ...] = (
    lambda _: "/",
    lambda _: "/?owner=agent%3Amain%3Amain&status=waiting",
    lambda seeds: f"/flows/{seeds.busy}",
    lambda seeds: f"/proofs/{seeds.busy}?at=1",
    lambda _: "/health",
    lambda _: "/refusals?route_id=x",
    lambda _: "/nowhere",
)
ODD = (
    *("//evil.example", "//evil.example/x", "/\\evil.example", 'https://evil.example"', "audit"),
    *(
        '/a"b',
        "/a'b",
        "/a<b",
        "/a b",
        "/a?b",
        "/a#b",
        "/a;b",
        "/a,/b",
        "/a%2f",
        "/\xe9",
        "/a\r\nX: y",
    ),
    *("/..", "/a/../b", "/.", "/a//b", "/a//", f"/{'a' * 300}", ""),
)


def get(desk: Desk, path: str, prefix: str | None = None, password: str = PASSWORD) -> Result:
    address, _, query = path.partition("?")
    headers = basic(USER, password)
    if prefix is not None:
        headers["X-Forwarded-Prefix"] = prefix
    return TestClient(desk.app).simulate_get(address, query_string=query, headers=headers)


def addresses(page: str) -> list[str]:
    """Return all that a page refers to, but for places within it."""
    actions = re.findall(r'(?:action|src)="([^"]*)"', page)
    return [each for each in (*seen(page).links, *actions) if not each.startswith("#")]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("is_taken_off", [True, False])
def test_below_a_base_path_every_address_has_it(
    desk: Desk, seeds: Seeds, path: Callable[[Seeds], str], *, is_taken_off: bool
) -> None:
    wanted = path(seeds)
    without = desk.get(wanted)
    desk.rearrange(base_path="/audit/log")
    answer = desk.get(wanted if is_taken_off else f"/audit/log{wanted}")
    assert answer.status_code == without.status_code
    found = addresses(answer.text)
    assert found == [f"/audit/log{each}" for each in addresses(without.text)]
    assert len(found) > 4


def test_a_base_path_alone_is_the_first_page(desk: Desk) -> None:
    first = desk.page("/")
    desk.rearrange(base_path="/audit")
    assert desk.page("/audit") == desk.page("/audit/") == first.replace('="/', '="/audit/')
    assert desk.get("/auditing").status_code == 404


@pytest.mark.parametrize("path", ["/audit/style.css", "/audit/icon.svg", "/style.css"])
def test_files_are_below_it_too(desk: Desk, path: str) -> None:
    desk.rearrange(base_path="/audit")
    assert desk.get(path).status_code == 200


def test_redirections_lead_below_it(desk: Desk, seeds: Seeds) -> None:
    desk.rearrange(base_path="/audit")
    assert desk.get(f"/?q={seeds.busy}").headers["location"] == f"/audit/flows/{seeds.busy}"
    assert desk.get("/audit/health?check=now").headers["location"] == "/audit/health"
    for thread in threading.enumerate():
        if thread.name == "checkup":
            thread.join()


def test_a_trusted_proxy_says_where_the_pages_stand(desk: Desk) -> None:
    desk.rearrange(base_path="/configured", trusts=lambda peer: peer == "127.0.0.1")
    assert "/said/style.css" in get(desk, "/", prefix="/said/").text
    assert "/configured/style.css" in get(desk, "/").text
    assert "/said/style.css" in get(desk, "/", prefix="/said", password="wrong").text


@pytest.mark.parametrize("prefix", ODD)
def test_an_odd_prefix_is_never_shown(desk: Desk, seeds: Seeds, prefix: str) -> None:
    desk.rearrange(trusts=lambda _: True)
    for path in ("/", "/nowhere"):
        odd, plain = get(desk, path, prefix=prefix), get(desk, path)
        assert re.sub(r"page-\d+", "", odd.text) == re.sub(r"page-\d+", "", plain.text)
    location = get(desk, f"/?q={seeds.busy}", prefix=prefix).headers["location"]
    assert location == f"/flows/{seeds.busy}"


def test_anybody_elses_prefix_is_not_heard(desk: Desk) -> None:
    assert get(desk, "/", prefix="/said").text == get(desk, "/").text


def test_one_answers_base_path_is_not_the_next_ones(desk: Desk) -> None:
    desk.rearrange(trusts=lambda _: True)
    plain = get(desk, "/").text
    assert get(desk, "/", prefix="/said").text != plain
    assert get(desk, "/").text == plain


def test_a_refusal_of_the_server_leads_below_it_too() -> None:
    _, _, body = render_error_page(400, "bad_request", "No.", RequestId("id"), "/audit")
    assert addresses(body.decode())[-1] == "/audit/"
