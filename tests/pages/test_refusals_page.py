from __future__ import annotations

import pytest

from tests.pages.seeds import Seeds
from tests.pages.workbench import Desk, seen


def test_refusals_are_counted_and_told_newest_first(desk: Desk) -> None:
    text = seen(desk.page("/refusals")).text
    assert "unauthorized n8n not let in 2 never kept" in text
    assert "terminal zapier 2026-01 1 0" in text
    assert text.index("refused-1") < text.index("refused-0")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("code=terminal", ["refused-1"]),
        ("route_id=n8n", []),
        ("until=2026-11-24T12:01", ["refused-0"]),
        ("before=2", ["refused-0"]),
    ],
)
def test_refusals_are_found(desk: Desk, query: str, told: list[str]) -> None:
    text = seen(desk.page(f"/refusals?{query}")).text
    assert [name for name in ("refused-0", "refused-1") if name in text] == told


def test_a_flow_tells_what_was_refused(desk: Desk, seeds: Seeds) -> None:
    text = seen(desk.page(f"/flows/{seeds.busy}")).text
    assert "2026-11-24T12:00:00.000Z resume_flow 409 revision_conflict zapier , 2026-01" in text
    assert "Nothing that is still kept." in seen(desk.page(f"/flows/{seeds.single}")).text


def test_a_time_that_is_none_is_named(desk: Desk) -> None:
    answer = desk.get("/refusals?since=soon")
    assert answer.status_code == 400
    assert "From: expected a time in UTC" in seen(answer.text).text
