"""A body that comes again over a route is read once, unless it is long."""

from __future__ import annotations

import pytest

from adapters.webhooks.actions import ActionCall
from adapters.webhooks.asked_call import read_body
from domain.flow.ids import RouteId

ROUTE, OTHER = RouteId("one"), RouteId("other")


@pytest.mark.parametrize(("goal", "is_remembered"), [("short", True), ("long" * 64, False)])
def test_a_body_that_comes_again_is_read_once_unless_it_is_long(
    goal: str, *, is_remembered: bool
) -> None:
    body = b'{"action":"create_flow","goal":"%b"}' % goal.encode()
    first, second, other = (read_body(route, body) for route in (ROUTE, ROUTE, OTHER))
    assert isinstance(first, ActionCall)
    assert first == second == other
    assert (first is second) is is_remembered
    assert first is not other


def test_bodies_that_differ_in_one_byte_ask_for_two_things() -> None:
    calls = [read_body(ROUTE, b'{"action":"get_flow","flowId":"%d"}' % n) for n in (1, 2)]
    assert [call.values for call in calls if isinstance(call, ActionCall)] == [
        {"flow_id": "1"},
        {"flow_id": "2"},
    ]
