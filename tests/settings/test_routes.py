from __future__ import annotations

from pathlib import Path

import pytest

from adapters.settings import RouteConfig
from domain.application.limits import RouteLimits
from domain.flow.ids import Owner, RouteId
from tests.settings.workbench import (
    ROUTES,
    SECRET,
    loaded,
    one_route,
    refused,
    refused_lines,
    route,
    the_route,
    with_routes,
)

OTHER = "another good and long secret"


def test_a_route_needs_only_a_session_key_and_a_secret(tmp_path: Path) -> None:
    only = the_route(loaded(tmp_path, one_route()))
    assert only == RouteConfig(
        route_id=RouteId("zapier"),
        path="/plugins/webhooks/zapier",
        owner=Owner("agent:main:main"),
        controller_id="webhooks/zapier",
        description=None,
        keys=only.keys,
        limits=RouteLimits(),
    )
    assert only.identify(SECRET, 0) == "default"


def test_a_route_has_all_that_is_given(tmp_path: Path) -> None:
    fields = route(
        enabled=True,
        path="/my/hook",
        controllerId="zapier/main",
        description="Zapier zaps",
        separateApprover=True,
        limits={"rateRequests": 5, "rateWindowSeconds": 0.5, "inFlight": 1, "bodyBytes": 10},
    )
    only = the_route(loaded(tmp_path, with_routes({"zapier": fields})))
    limits = RouteLimits(rate_requests=5, rate_window_seconds=0.5, in_flight=1, body_bytes=10)
    assert only == RouteConfig(
        route_id=RouteId("zapier"),
        path="/my/hook",
        owner=Owner("agent:main:main"),
        controller_id="zapier/main",
        description="Zapier zaps",
        keys=only.keys,
        limits=limits,
        separate_approver=True,
    )


@pytest.mark.parametrize(
    ("path", "normalised"),
    [
        ("/a/b", "/a/b"),
        ("a/b", "/a/b"),
        ("/a/b/", "/a/b"),
        ("a/b//", "/a/b/"),
        ("  /a ", "/a"),
        ("/", "/"),
        ("//", "/"),
    ],
)
def test_a_path_has_a_slash_in_front_and_none_at_its_end(
    tmp_path: Path, path: str, normalised: str
) -> None:
    assert the_route(loaded(tmp_path, one_route(path=path))).path == normalised


def test_a_route_id_may_have_a_slash(tmp_path: Path) -> None:
    assert the_route(loaded(tmp_path, with_routes({"a/b": route()}))).path == (
        "/plugins/webhooks/a/b"
    )


def test_texts_are_trimmed_as_the_reference_trims(tmp_path: Path) -> None:
    only = the_route(
        loaded(
            tmp_path,
            one_route(sessionKey="\ufeff agent:main:x\u00a0", secret="\u2028 s e c \n", path=" /p"),
        )
    )
    assert (only.owner, only.path) == ("agent:main:x", "/p")
    assert only.identify("s e c", 0) == "default"


def test_a_disabled_route_is_not_served_and_its_secret_not_looked_for(tmp_path: Path) -> None:
    off = route(enabled=False, secret="${NOWHERE}")
    settings = loaded(tmp_path, with_routes({"on": route(), "off": off}))
    assert [one.route_id for one in settings.routes] == ["on"]
    assert settings.disabled == ("off",)
    assert settings.skipped == ()


def test_a_disabled_routes_provider_need_not_be_there(tmp_path: Path) -> None:
    secret = {"source": "exec", "provider": "nowhere", "id": "x"}
    settings = loaded(tmp_path, one_route(enabled=False, secret=secret))
    assert settings.disabled == ("zapier",)


def test_with_the_plugin_disabled_nothing_is_served(tmp_path: Path) -> None:
    webhooks = {"enabled": False, "config": {"routes": {"a": route(secret="${NOWHERE}")}}}
    settings = loaded(tmp_path, {"plugins": {"entries": {"webhooks": webhooks}}})
    assert (settings.routes, settings.skipped, settings.disabled) == ((), (), ("a",))


def test_two_routes_on_one_path_stop_the_start_and_both_are_named(tmp_path: Path) -> None:
    routes = {"one": route(path="hook"), "two": route(path="/hook/", secret=OTHER)}
    assert refused_lines(tmp_path, with_routes(routes)) == [
        (
            f"gateway.json5:15: {ROUTES}.two.path: expected a path that no other enabled route "
            f"has, found /hook, which is the path of {ROUTES}.one.path (line 10)"
        )
    ]


def test_a_default_path_conflicts_too(tmp_path: Path) -> None:
    routes = {"one": route(), "two": route(path="/plugins/webhooks/one")}
    assert refused(tmp_path, with_routes(routes)) == [
        (
            f"{ROUTES}.two.path: expected a path that no other enabled route has, found "
            f"/plugins/webhooks/one, which is the path of {ROUTES}.one.path (line 7)"
        )
    ]


def test_a_disabled_route_does_not_conflict(tmp_path: Path) -> None:
    routes = {"one": route(path="/x"), "two": route(path="/x", enabled=False)}
    assert len(loaded(tmp_path, with_routes(routes)).routes) == 1


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("sessionKey", 5, "sessionKey: expected a non-empty string, found a number"),
        ("sessionKey", None, "sessionKey: expected a non-empty string, found null"),
        ("sessionKey", "\u00a0 ", "sessionKey: expected a non-empty string, found a blank string"),
        (
            "sessionKey",
            "a\0b",
            (
                "sessionKey: expected a string of one line, "
                "found a string with a line break or another control character"
            ),
        ),
        ("path", "", "path: expected a non-empty string, found a blank string"),
        ("path", ["/x"], "path: expected a non-empty string, found an array"),
        ("enabled", 1, "enabled: expected true or false, found a number"),
        ("enabled", "yes", "enabled: expected true or false, found a string"),
        ("controllerId", True, "controllerId: expected a non-empty string, found true"),
        ("description", {}, "description: expected a non-empty string, found an object"),
        ("secret", "  ", "secret: expected a non-empty secret, found a blank string"),
        ("secret", "", "secret: expected a non-empty secret, found a blank string"),
        ("secret", 12345678, "secret: expected a secret or a SecretRef, found a number"),
        ("secret", None, "secret: expected a secret or a SecretRef, found null"),
        ("secrets", [], "secrets: expected an object, found an array"),
        ("limits", False, "limits: expected an object, found false"),
        (
            "limits",
            {"trackedKeys": 1},
            (
                "limits.trackedKeys: expected one of the keys bodyBytes, rateRequests, "
                "rateWindowSeconds, inFlight, answerBytes, unverifiedBodyBytes, "
                "unverifiedBodySeconds, unverifiedInFlight or announceRate, found an unknown key"
            ),
        ),
        (
            "limits",
            {"bodyBytes": 262_145},
            "limits.bodyBytes: expected a whole number from 1 to 262144, found a larger number",
        ),
    ],
)
def test_a_wrong_field_is_named_with_what_was_expected(
    tmp_path: Path, field: str, value: object, problem: str
) -> None:
    assert refused(tmp_path, one_route(**{field: value})) == [f"{ROUTES}.zapier.{problem}"]


@pytest.mark.parametrize("route_id", ["", " ", " a", "a\u00a0", "a\nb"])
def test_a_route_id_has_no_blanks_around_it(tmp_path: Path, route_id: str) -> None:
    (problem,) = refused(tmp_path, with_routes({route_id: route(path="/p", controllerId="c")}))
    assert problem.endswith("expected a route id without blanks around it, found another key")


def test_what_rows_are_found_by_is_short_enough_for_an_index(tmp_path: Path) -> None:
    """A database of PostgreSQL refuses the row of a longer one, and so each of its callers."""
    longest = "\u00e9" * 500
    loaded(tmp_path, with_routes({longest: route(path="/p", sessionKey=longest)}))
    (key,) = refused(tmp_path, one_route(sessionKey=longest + "a"))
    assert key.endswith(".sessionKey: expected at most 1000 bytes in UTF-8, found more")
    (named,) = refused(tmp_path, with_routes({longest + "a": route(path="/p")}))
    assert named.endswith("expected a route id of at most 1000 bytes in UTF-8, found a longer one")


def test_a_route_without_its_session_key_and_secret_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, with_routes({"a.b": {}})) == [
        f'{ROUTES}["a.b"].sessionKey: expected a non-empty string, found nothing',
        (
            f'{ROUTES}["a.b"].secret: expected a secret, a SecretRef, or an object secrets '
            "with some of them, found nothing"
        ),
    ]


def test_what_is_no_route_is_one_problem(tmp_path: Path) -> None:
    assert refused(tmp_path, with_routes({"a": 5, "b": None})) == [
        f"{ROUTES}.a: expected an object, found a number",
        f"{ROUTES}.b: expected an object, found null",
    ]


def test_unknown_keys_beside_the_routes_are_refused(tmp_path: Path) -> None:
    webhooks = {"config": {"routez": 1}}
    assert refused(tmp_path, {"plugins": {"entries": {"webhooks": webhooks}}}) == [
        (
            "plugins.entries.webhooks.config.routez: expected one of the keys routes, "
            "found an unknown key"
        )
    ]


@pytest.mark.parametrize("block", [{"plugins": 1}, {"plugins": {"entries": None}}])
def test_a_block_that_is_no_object_is_refused(tmp_path: Path, block: object) -> None:
    (problem,) = refused(tmp_path, block)
    assert ": expected an object, found " in problem


def test_several_secrets_have_ids_of_their_own(tmp_path: Path) -> None:
    secrets = {"2026-06": SECRET, "next": OTHER}
    fields = {"sessionKey": "agent:main:main", "secrets": secrets}
    only = the_route(loaded(tmp_path, with_routes({"zapier": fields})))
    assert [key.key_id for key in only.keys] == ["2026-06", "next"]
    assert (only.identify(SECRET, 0), only.identify(OTHER, 0)) == ("2026-06", "next")


def test_a_plain_secret_and_several_go_together(tmp_path: Path) -> None:
    only = the_route(loaded(tmp_path, one_route(secrets={"next": OTHER})))
    assert (only.identify(SECRET, 0), only.identify(OTHER, 0)) == ("default", "next")


def test_one_of_several_may_be_called_default(tmp_path: Path) -> None:
    fields = {"sessionKey": "agent:main:main", "secrets": {"default": SECRET}}
    assert the_route(loaded(tmp_path, with_routes({"a": fields}))).identify(SECRET, 0) == "default"


def test_a_key_id_is_given_once(tmp_path: Path) -> None:
    assert refused(tmp_path, one_route(secrets={"default": OTHER})) == [
        (
            f"{ROUTES}.zapier.secrets.default: expected another key id, as secret is default, "
            "found default"
        )
    ]


@pytest.mark.parametrize("key_id", ["", "A", "-a", "a b", "é", "a" * 65])
def test_a_key_id_has_a_form(tmp_path: Path, key_id: str) -> None:
    (problem,) = refused(tmp_path, one_route(secrets={key_id: OTHER}))
    assert problem.endswith("expected a key id like 2026-01 or next, found another key")


def test_no_secrets_at_all_are_refused(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, with_routes({"a": {"sessionKey": "s", "secrets": {}}}))
    assert problem.startswith(f"{ROUTES}.a.secret: expected a secret")
