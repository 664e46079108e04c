from __future__ import annotations

from pathlib import Path

import pytest

from adapters.settings import ConfigAdvice, load_settings
from tests.settings.workbench import (
    ROUTES,
    SECRET,
    advice_of,
    loaded,
    one_route,
    route,
    the_route,
    with_routes,
    written,
)

HERE = f"{ROUTES}.zapier"


def test_an_inline_secret_is_advised_against_with_its_line(tmp_path: Path) -> None:
    settings = loaded(tmp_path, one_route())
    assert settings.advice == (
        ConfigAdvice(
            file=f"{tmp_path}/gateway.json5",
            line=9,
            path=f"{HERE}.secret",
            sentence="the secret is written here: keep it elsewhere, and refer to it as ${NAME}",
        ),
    )
    assert str(settings.advice[0]).startswith(
        f"{tmp_path}/gateway.json5:9: {HERE}.secret: the secret is written here"
    )


def test_an_inline_secret_in_a_file_that_all_can_read_is_named_as_such(tmp_path: Path) -> None:
    document = one_route() | {"taskflow": {"audit": {"key": "PRIVATE+KEY+of+nothing"}}}
    written(tmp_path, document).chmod(0o644)
    where = "is written here, where every user of this machine can read it: keep it elsewhere"
    advised = load_settings(tmp_path / "gateway.json5", {}).advice
    assert [where in advice.sentence for advice in advised] == [True, True]


@pytest.mark.parametrize("quote", ["'", '"', "`"])
def test_a_secret_in_quotes_is_used_as_it_is_and_advised_against(
    tmp_path: Path, quote: str
) -> None:
    held = f"{quote}{SECRET}{quote}"
    settings = loaded(tmp_path, one_route(secret="${HOOK}"), {"HOOK": held})
    assert the_route(settings).identify(held, 0) == "default"
    assert advice_of(settings) == [
        (
            f"{HERE}.secret: the secret is in quotes, which are part of it: "
            "an env file of Docker keeps them"
        )
    ]


@pytest.mark.parametrize("quotes", ["“”", "\u2018\u2019", "„“", "«»"])
def test_the_quotes_of_an_editor_are_advised_against_too(tmp_path: Path, quotes: str) -> None:
    held = SECRET.join(quotes)
    (advice,) = advice_of(loaded(tmp_path, one_route(secret="${HOOK}"), {"HOOK": held}))
    assert advice.startswith(f"{HERE}.secret: the secret is in quotes")


def test_a_long_secret_from_elsewhere_needs_no_advice(tmp_path: Path) -> None:
    assert loaded(tmp_path, one_route(secret="$HOOK"), {"HOOK": SECRET}).advice == ()


@pytest.mark.parametrize(("length", "short"), [(15, True), (16, False)])
def test_a_short_secret_is_advised_against(tmp_path: Path, length: int, *, short: bool) -> None:
    settings = loaded(tmp_path, one_route(secret="$HOOK"), {"HOOK": "x" * length})
    sentence = f"{HERE}.secret: the secret has fewer than 16 characters"
    assert advice_of(settings) == [sentence] * short


def test_a_secret_that_no_header_can_hold_is_advised_against(tmp_path: Path) -> None:
    settings = loaded(tmp_path, one_route(secret="$HOOK"), {"HOOK": f"{SECRET}\n{SECRET}"})
    assert advice_of(settings) == [
        (
            f"{HERE}.secret: the secret has a line break or another control character: "
            "no caller can send it"
        )
    ]


def test_a_secret_of_two_routes_is_advised_against(tmp_path: Path) -> None:
    """However it is written: in the file, or in the environment."""
    routes = {"one": route(), "two": route(secret="$HOOK"), "three": route(secret="$OTHER")}
    environ = {"HOOK": f" {SECRET} ", "OTHER": "another good and long secret"}
    assert advice_of(loaded(tmp_path, with_routes(routes), environ)) == [
        f"{ROUTES}.two.secret: the secret is the same as in {ROUTES}.one.secret"
    ]


def test_two_keys_of_one_route_with_one_secret_are_advised_against(tmp_path: Path) -> None:
    settings = loaded(tmp_path, one_route(secrets={"next": SECRET}))
    assert advice_of(settings) == [
        f"{HERE}.secrets.next: the secret is the same as in {HERE}.secret"
    ]


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("/my hooks", "has a blank"),
        ("/a?b", "has one of ? # % \\"),
        ("/a#b", "has one of ? # % \\"),
        ("/a%20b", "has one of ? # % \\"),
        ("/a\\b", "has one of ? # % \\"),
        ("/ä", "has a character beyond ASCII"),
        ("/a//b", "has an empty segment"),
        ("/a//", "has an empty segment"),
        ("/a/./b", "has a segment . or .."),
        ("/a/..", "has a segment . or .."),
        ("/healthz", "is one of the gateway's own"),
        ("readyz/", "is one of the gateway's own"),
    ],
)
def test_a_path_that_no_request_reaches_is_advised_against(
    tmp_path: Path, path: str, fault: str
) -> None:
    settings = loaded(tmp_path, one_route(path=path))
    (served,) = settings.routes
    assert advice_of(settings) == [f"{HERE}.path: no request reaches {served.path}, as it {fault}"]


@pytest.mark.parametrize("path", ["/", "/healthz/x", "/x/readyz", "/a/...", "/a.b/.c", "/~a-b_c"])
def test_any_other_path_is_reached(tmp_path: Path, path: str) -> None:
    assert advice_of(loaded(tmp_path, one_route(path=path))) == []


def test_a_disabled_plugin_is_told(tmp_path: Path) -> None:
    document = {"plugins": {"entries": {"webhooks": {"enabled": False}}}}
    assert advice_of(loaded(tmp_path, document)) == [
        "plugins.entries.webhooks.enabled: the webhooks plugin is disabled: nothing is served"
    ]


@pytest.mark.parametrize(
    "document", [{}, with_routes({}), with_routes({"off": route(enabled=False)})]
)
def test_a_configuration_without_routes_is_told(tmp_path: Path, document: object) -> None:
    assert advice_of(loaded(tmp_path, document)) == [
        f"{ROUTES}: no route is enabled: nothing is served"
    ]


def test_a_variable_inside_a_text_is_told_as_openclaw_would_expand_it(tmp_path: Path) -> None:
    fields = {"sessionKey": "agent:${AGENT}:main", "path": "/hooks/${PATH_1}", "secret": "$HOOK"}
    settings = loaded(tmp_path, with_routes({"zapier": fields}), {"HOOK": SECRET})
    told = [line for line in advice_of(settings) if "taken literally" in line]
    sentence = (
        "a variable inside a text is taken literally here: "
        "${NAME} is only replaced where it is the whole of a secret"
    )
    assert told == [f"{HERE}.sessionKey: {sentence}", f"{HERE}.path: {sentence}"]


@pytest.mark.parametrize(
    ("provider", "field"),
    [
        ({"source": "file", "path": "${FOLDER}/secrets.json"}, "path"),
        ({"source": "exec", "command": "/${BIN}/vault"}, "command"),
        ({"source": "exec", "command": "/bin/true", "args": ["${PROFILE}"]}, "args[0]"),
        ({"source": "exec", "command": "/bin/true", "env": {"A": "${TOKEN}"}}, "env.A"),
    ],
)
def test_a_variable_in_a_provider_is_told_as_well(
    tmp_path: Path, provider: object, field: str
) -> None:
    settings = loaded(tmp_path, one_route() | {"secrets": {"providers": {"vault": provider}}})
    (told,) = advice_of(settings)
    assert told.startswith(f"secrets.providers.vault.{field}: a variable inside a text is taken")


def test_advice_is_in_file_order(tmp_path: Path) -> None:
    routes = {"b": route(secret="short b"), "a": route(secret="short a", path="/ä")}
    lines = [advice.line for advice in loaded(tmp_path, with_routes(routes)).advice]
    assert lines == sorted(lines, key=lambda line: line or 0)
    assert len(lines) == 5


def test_a_key_whose_waits_no_other_key_could_resume_is_advised_against(tmp_path: Path) -> None:
    asking = route(separateApprover=True)
    lonely = advice_of(loaded(tmp_path, with_routes({"zapier": asking})))
    advised = (
        f"{HERE}.separateApprover: the only key of this session key lets flows wait that no other"
        " can resume"
    )
    assert advised in lonely
    both = with_routes({"zapier": asking, "n8n": route(secret="another good and long secret")})
    assert advised not in advice_of(loaded(tmp_path, both))


def test_a_path_below_that_of_links_is_reached_by_no_request(tmp_path: Path) -> None:
    advised = advice_of(loaded(tmp_path, with_routes({"zapier": route(path="/resume/zapier")})))
    assert any("is one of the gateway's own" in one for one in advised)
