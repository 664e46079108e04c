from __future__ import annotations

import pytest

from tests.pages.seeds import DESK, Seeds
from tests.pages.workbench import Desk, Seen, seen

ALL = ["pending", "single", "long", "hostile", "failed", "busy"]


def found(page: Seen, seeds: Seeds) -> list[str]:
    """Return the names of the flows that a page lists, in its order."""
    names = {getattr(seeds, name): name for name in type(seeds).__annotations__}
    listed = [link.removeprefix("/flows/") for link in page.links if link.startswith("/flows/")]
    return [names[flow_id] for flow_id in listed]


def test_flows_are_listed_newest_first(desk: Desk, seeds: Seeds) -> None:
    page = seen(desk.page("/"))
    assert found(page, seeds) == ALL


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("status=failed", ["failed"]),
        (f"owner={DESK}", ["hostile"]),
        ("owner=nobody", []),
        ("q=INVOICES", ["busy"]),
        ("q=the&status=running", ["pending"]),
        ("since=2026-11-25T23:08:18Z", ["pending", "single", "long"]),
        ("since=2026-11-24&until=2026-11-25T23:08:17Z", ["failed"]),
        ("until=2026-11-23T13:00:01%2B01:00", []),
        ("q=++&owner=&status=&since=&until=", ALL),
    ],
)
def test_flows_are_found(desk: Desk, seeds: Seeds, query: str, names: list[str]) -> None:
    assert found(seen(desk.page(f"/?{query}")), seeds) == names


def test_a_flow_is_found_by_its_id(desk: Desk, seeds: Seeds) -> None:
    answer = desk.get(f"/?q={seeds.failed}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/flows/{seeds.failed}")


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("status=lost", "Status: expected one of queued, running"),
        ("since=yesterday", "Created from: expected a time in UTC such as"),
        ("until=9999-99-99", "Created before: expected a time in UTC such as"),
        ("before=-1", "Cursor: expected a cursor that an earlier page ended with"),
    ],
)
def test_a_field_that_says_nothing_is_named(desk: Desk, query: str, problem: str) -> None:
    answer = desk.get(f"/?{query}")
    assert answer.status_code == 400
    assert problem in seen(answer.text).text


def test_the_form_keeps_what_was_asked_for(desk: Desk) -> None:
    page = desk.page('/?q="><b>&owner=agent:x&status=failed')
    assert 'name="q" type="search" value="&#34;&gt;&lt;b&gt;"' in page
    assert 'value="agent:x"' in page
    assert "<option selected>failed</option>" in page


def test_a_search_says_at_how_many_it_looked(desk: Desk) -> None:
    text = seen(desk.page("/?q=invoices")).text
    assert f"1 flow found among the {len(ALL)} flows looked at, newest first. That was all." in text
