from __future__ import annotations

from pathlib import Path

import pytest

from tests.settings.workbench import (
    ROUTES,
    SECRET,
    advice_of,
    loaded,
    one_route,
    refused,
    route,
    the_route,
    with_routes,
)

HERE = f"{ROUTES}.zapier.secret"


def ref(source: object, provider: object, identifier: object) -> dict[str, object]:
    return {"source": source, "provider": provider, "id": identifier}


def with_provider(provider: object, secret: object) -> dict[str, object]:
    """Return a configuration with a provider `kept` and a route whose secret is a reference."""
    return with_routes({"zapier": route(secret=secret)}, secrets={"providers": {"kept": provider}})


@pytest.mark.parametrize(
    "secret",
    ["${HOOK_SECRET}", "$HOOK_SECRET", " ${HOOK_SECRET}\n", ref("env", "default", "HOOK_SECRET")],
)
def test_a_variable_is_read_from_the_environment(tmp_path: Path, secret: object) -> None:
    settings = loaded(tmp_path, one_route(secret=secret), {"HOOK_SECRET": f" {SECRET}\n"})
    assert the_route(settings).identify(SECRET, 0) == "default"


@pytest.mark.parametrize("secret", ["$1_SECRET_TEXT", "x$HOOK_SECRET", "x${hook}", "a$b{c}"])
def test_any_other_text_is_the_secret_itself(tmp_path: Path, secret: str) -> None:
    settings = loaded(tmp_path, one_route(secret=secret), {"HOOK_SECRET": SECRET})
    assert the_route(settings).identify(secret, 0) == "default"


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({}, "the environment variable HOOK_SECRET is not set"),
        ({"HOOK_SECRET": ""}, "the environment variable HOOK_SECRET is empty"),
        ({"HOOK_SECRET": " \n"}, "the environment variable HOOK_SECRET is empty"),
    ],
)
def test_a_route_whose_secret_is_missing_is_skipped_and_the_others_serve(
    tmp_path: Path, environ: dict[str, str], reason: str
) -> None:
    routes = {"n8n": route(secret="${HOOK_SECRET}"), "zapier": route()}
    settings = loaded(tmp_path, with_routes(routes), environ)
    assert [one.route_id for one in settings.routes] == ["zapier"]
    (skipped,) = settings.skipped
    assert (skipped.route_id, skipped.path) == ("n8n", "/plugins/webhooks/n8n")
    assert str(skipped) == (
        f"{tmp_path}/gateway.json5:9: {ROUTES}.n8n.secret: route n8n is skipped: {reason}"
    )
    assert advice_of(settings) == []


def test_a_route_is_served_with_those_of_its_secrets_that_are_there(tmp_path: Path) -> None:
    secrets = {"old": "${OLD_SECRET}", "new": "${NEW_SECRET}"}
    fields = {"sessionKey": "agent:main:main", "secrets": secrets}
    settings = loaded(tmp_path, with_routes({"zapier": fields}), {"NEW_SECRET": SECRET})
    assert [key.key_id for key in the_route(settings).keys] == ["new"]
    assert settings.skipped == ()
    assert advice_of(settings) == [
        (
            f"{ROUTES}.zapier.secrets.old: the route is served without this secret: "
            "the environment variable OLD_SECRET is not set"
        )
    ]


def test_a_route_is_skipped_once_if_none_of_its_secrets_is_there(tmp_path: Path) -> None:
    secrets = {"old": "${OLD_SECRET}", "new": "${NEW_SECRET}", "same": "$NEW_SECRET"}
    fields = {"sessionKey": "agent:main:main", "secrets": secrets}
    settings = loaded(tmp_path, with_routes({"zapier": fields}))
    (skipped,) = settings.skipped
    assert skipped.reason == (
        "the environment variable OLD_SECRET is not set; "
        "the environment variable NEW_SECRET is not set"
    )
    assert advice_of(settings) == []


@pytest.mark.parametrize(
    ("secret", "problem"),
    [
        (
            ref("env", "default", "lower"),
            "secret.id: expected a variable's name like WEBHOOK_SECRET, found another string",
        ),
        (
            ref("env", "default", "A" * 129),
            "secret.id: expected a variable's name like WEBHOOK_SECRET, found another string",
        ),
        (
            ref("file", "kept", "webhooks"),
            'secret.id: expected a JSON pointer or "value", found another string',
        ),
        (
            ref("file", "kept", "/a~2"),
            'secret.id: expected a JSON pointer or "value", found another string',
        ),
        (
            ref("exec", "kept", "a/../b"),
            "secret.id: expected an id like webhooks/zapier, found another string",
        ),
        (
            ref("exec", "kept", "."),
            "secret.id: expected an id like webhooks/zapier, found another string",
        ),
        (
            ref("vault", "kept", "x"),
            'secret.source: expected one of "env", "file", "exec", found another string',
        ),
        (
            ref("env", "Default", "A"),
            "secret.provider: expected a provider's name, found another string",
        ),
        (ref("env", 5, "A"), "secret.provider: expected a provider's name, found a number"),
        (
            {"source": "env", "provider": "default"},
            "secret.id: expected a variable's name like WEBHOOK_SECRET, found nothing",
        ),
        (
            {**ref("env", "default", "A"), "optional": True},
            (
                "secret.optional: expected one of the keys source, provider or id, "
                "found an unknown key"
            ),
        ),
    ],
)
def test_a_reference_has_a_form(tmp_path: Path, secret: object, problem: str) -> None:
    assert refused(tmp_path, one_route(secret=secret)) == [f"{ROUTES}.zapier.{problem}"]


@pytest.mark.parametrize("identifier", ["a", "a.b", "a/b.c", "a/...", "9:x#y-z_", "a" * 256])
def test_a_commands_ids_may_look_like_paths(tmp_path: Path, identifier: str) -> None:
    assert refused(tmp_path, one_route(secret=ref("exec", "nope", identifier))) == [
        f'{HERE}: expected a provider of secrets.providers, found "nope", which is not configured'
    ]


def test_a_provider_of_another_source_stops_the_start(tmp_path: Path) -> None:
    document = with_provider({"source": "env"}, ref("file", "kept", "/a"))
    assert refused(tmp_path, document) == [
        f'{HERE}: expected a provider of source "file", found "kept" of source "env"'
    ]


def test_the_default_provider_may_be_configured_and_then_must_fit(tmp_path: Path) -> None:
    providers = {"default": {"source": "file", "path": "x.json"}}
    document = with_routes({"zapier": route(secret="${A}")}, secrets={"providers": providers})
    assert refused(tmp_path, document) == [
        f'{HERE}: expected a provider of source "env", found "default" of source "file"'
    ]


def test_an_allowlist_limits_the_variables(tmp_path: Path) -> None:
    provider = {"source": "env", "allowlist": ["HOOK_SECRET"]}
    allowed = with_provider(provider, ref("env", "kept", "HOOK_SECRET"))
    settings = loaded(tmp_path, allowed, {"HOOK_SECRET": SECRET})
    assert the_route(settings).identify(SECRET, 0) == "default"
    assert refused(tmp_path, with_provider(provider, ref("env", "kept", "OTHER_SECRET"))) == [
        f"{HERE}: expected a variable in the allowlist of secrets.providers.kept, found another one"
    ]


@pytest.mark.parametrize(
    ("mode", "identifier", "problem"),
    [
        (
            "json",
            "value",
            'expected a JSON pointer, as the provider has mode "json", found another id',
        ),
        (
            "singleValue",
            "/a",
            'expected the id "value", as the provider has mode "singleValue", found another id',
        ),
    ],
)
def test_a_files_mode_and_the_id_fit(
    tmp_path: Path, mode: str, identifier: str, problem: str
) -> None:
    provider = {"source": "file", "path": "x", "mode": mode}
    document = with_provider(provider, ref("file", "kept", identifier))
    assert refused(tmp_path, document) == [f"{HERE}: {problem}"]


EXEC = {"source": "exec", "command": "/bin/true"}


@pytest.mark.parametrize(
    ("provider", "problem"),
    [
        (5, ": expected an object, found a number"),
        ({}, ".source: expected one of env, file or exec, found nothing"),
        ({"source": "vault"}, ".source: expected one of env, file or exec, found another string"),
        (
            {"source": "env", "path": "x"},
            ".path: expected one of the keys source or allowlist, found an unknown key",
        ),
        (
            {"source": "env", "allowlist": "A"},
            ".allowlist: expected an array of names of variables, found a string",
        ),
        (
            {"source": "env", "allowlist": ["a"]},
            ".allowlist[0]: expected a variable's name like VAULT_ADDR, found another string",
        ),
        (
            {"source": "env", "allowlist": ["A"] * 257},
            ".allowlist: expected at most 256 names of variables, found 257",
        ),
        ({"source": "file"}, ".path: expected the path of a file, found nothing"),
        (
            {"source": "file", "path": "x", "mode": "yaml"},
            ".mode: expected one of json or singleValue, found another string",
        ),
        (
            {"source": "file", "path": "x", "timeoutMs": 0},
            ".timeoutMs: expected a whole number from 1 to 120000, found a smaller number",
        ),
        (
            {"source": "file", "path": "x", "maxBytes": "1"},
            ".maxBytes: expected a whole number from 1 to 20971520, found a string",
        ),
        (
            {"source": "file", "path": "x", "command": "y"},
            (
                ".command: expected one of the keys source, path, mode, timeoutMs, maxBytes "
                "or allowInsecurePath, found an unknown key"
            ),
        ),
        ({"source": "exec"}, ".command: expected the absolute path of a command, found nothing"),
        (
            {**EXEC, "command": "true"},
            ".command: expected an absolute path, found a relative one",
        ),
        ({**EXEC, "args": "x"}, ".args: expected an array of strings, found a string"),
        ({**EXEC, "args": [1]}, ".args[0]: expected a string, found a number"),
        ({**EXEC, "args": ["\0"]}, ".args[0]: expected a string, found a string with NUL"),
        ({**EXEC, "args": ["x" * 1025]}, ".args[0]: expected at most 1024 characters, found 1025"),
        ({**EXEC, "env": {"A": 1}}, ".env.A: expected a string, found a number"),
        (
            {**EXEC, "env": {"A=B": ""}},
            '.env["A=B"]: expected a variable\'s name, found another key',
        ),
        (
            {**EXEC, "passEnv": ["Path"]},
            ".passEnv[0]: expected a variable's name like VAULT_ADDR, found another string",
        ),
        (
            {**EXEC, "trustedDirs": ["bin"]},
            ".trustedDirs[0]: expected an absolute path, found a relative one",
        ),
        ({**EXEC, "jsonOnly": "no"}, ".jsonOnly: expected true or false, found a string"),
        (
            {**EXEC, "timeoutMs": 120_001},
            ".timeoutMs: expected a whole number from 1 to 120000, found a larger number",
        ),
    ],
)
def test_a_misconfigured_provider_stops_the_start_even_if_nothing_refers_to_it(
    tmp_path: Path, provider: object, problem: str
) -> None:
    document = with_routes({}, secrets={"providers": {"kept": provider}})
    assert refused(tmp_path, document) == [f"secrets.providers.kept{problem}"]


def test_a_misconfigured_provider_is_one_problem_not_one_for_each_reference(
    tmp_path: Path,
) -> None:
    document = with_provider({"source": "file"}, ref("file", "kept", "/a"))
    assert len(refused(tmp_path, document)) == 1


def test_what_else_openclaw_keeps_under_secrets_is_ignored(tmp_path: Path) -> None:
    secrets = {"defaults": {"env": "default"}, "resolution": {"maxBatchBytes": 1}}
    assert loaded(tmp_path, with_routes({"a": route()}, secrets=secrets)).routes
