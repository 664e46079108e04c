"""Which path means which route."""

from __future__ import annotations

import pytest

from adapters.webhooks.routes import RouteTable, WebhookRoute
from domain.application.limits import RouteLimits
from domain.application.sessions import TaskFlows
from domain.flow.ids import Owner, RouteId
from tests.memory_store import WatchedStore
from tests.webhooks.gateway import counted, identifying

FLOWS = TaskFlows(WatchedStore(), lambda: 0, counted("id"))


def route(
    path: str, *, route_id: RouteId = RouteId("zapier"), body_bytes: int = 100
) -> WebhookRoute:
    return WebhookRoute(
        route_id=route_id,
        path=path,
        session=FLOWS.bind_session(Owner("agent:main:main")),
        controller_id="c",
        identify=identifying("s3cret"),
        limits=RouteLimits(body_bytes=body_bytes),
    )


@pytest.mark.parametrize("configured", ["/hooks/zapier", "/hooks/zapier/"])
def test_a_path_is_found_with_and_without_one_trailing_slash(configured: str) -> None:
    table = RouteTable([route(configured)])
    assert table.find("/hooks/zapier") is table.find("/hooks/zapier/") is not None


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/hooks",
        "/hooks/",
        "/hooks/zapier//",
        "//hooks/zapier",
        "/hooks//zapier",
        "/hooks/./zapier",
        "/x/../hooks/zapier",
        "/hooks/zapier/sub",
        "/hooks/%7aapier",
        "/hooks%2fzapier",
        "/HOOKS/zapier",
        "/hooks/zapier;x",
        "/hooks/zapier#x",
        "/hooks/zapier%00",
        "/hooks/zapier%20",
        "\\hooks\\zapier",
        "hooks/zapier",
        "http://127.0.0.1/hooks/zapier",
        "*",
    ],
)
def test_no_other_spelling_reaches_a_route(path: str) -> None:
    assert RouteTable([route("/hooks/zapier")]).find(path) is None


def test_the_root_may_be_a_route() -> None:
    table = RouteTable([route("/")])
    assert table.find("/") is not None
    assert table.find("") is None


def test_two_routes_on_one_path_are_a_fault_of_the_settings() -> None:
    with pytest.raises(ValueError, match=r"routes a and b: /hooks"):
        RouteTable(
            [route("/hooks", route_id=RouteId("a")), route("/hooks/", route_id=RouteId("b"))]
        )


def test_the_table_knows_the_largest_body_that_any_route_takes() -> None:
    table = RouteTable([route("/a", body_bytes=10), route("/b", body_bytes=300)])
    assert table.body_bytes == 300
    assert RouteTable([]).body_bytes == 262_144
