"""What a template, a mask or an example leaves is no secret; a real one is not taken for it."""

from __future__ import annotations

import base64
import json
import string
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.settings.placeholders import is_placeholder
from tests.settings.workbench import (
    ROUTES,
    SECRET,
    loaded,
    one_route,
    refused,
    the_route,
    with_routes,
)

PLACEHOLDERS = [
    *("__OPENCLAW_REDACTED__", "__OPENCLAW_REDACTED__\n[plugin warning]", "__SECRET__"),
    *("${X:-y}", "${X-}", "${X:?unset}", "${env:X}", "${lower_case}", "${_X}", "$${X}", "${}"),
    *("Bearer-${HOOK_TOKEN}", "${A_B}${C_D}", "${{ secrets.HOOK }}", "${pass:hooks/zapier}"),
    *("$hook_secret", "$env:HOOK", "$(HOOK)", "$(cat /run/secrets/hook)", "$_X"),
    *("{{X}}", "{{ X }}", "{{ .Values.secret }}", "{{ x | default('') }}", "Bearer {{ token }}"),
    *("{X}", "{hook_secret}", "#{X}", "#{X}#", "@{X}", "%{X}", "%X%", "%(hook)s", "@X@"),
    *("<X>", "<your-secret>", "<your secret here>", "<%= ENV['X'] %>", "{% secret %}"),
    *("changeme", "CHANGE_ME", "change-this", "REPLACE_ME", "replaceme!", "please-change-me"),
    *("your-secret", "your_webhook_secret_here", "YOUR-TOKEN", "yourpassword", "TODO", "tbd"),
    *("[REDACTED]", "<redacted>", "redacted", "********", "•••••", "“changeme”", "\u2018$X\u2019"),
    *("op://vault/hook/secret", "ref+vault://secret/hook", "vault:secret/data/hook#key"),
    *("env:HOOK_SECRET", "env://HOOK", "file:///run/secrets/hook", "/run/secrets/hook"),
    *("arn:aws:secretsmanager:eu-west-1:1:secret:hook", "ENC[AES256_GCM,data:x,type:str]"),
    *("'${X:-y}'", '"changeme"', "$$X", "$$(X)", "`cat /etc/hook`", "$env:HOOK_1", "%%X%%"),
    *("<<X>>", "[SECRET]", "[your secret]", "[[X]]", "((hook))", "((vault:hook/secret))", "@@X@@"),
    *("{$X}", "{$X:y}", "{env:HOOK_1}", "{file:./hook}", "{cipher}0aF1", "<?= $hook ?>"),
    *("ENC(b3Blbg==)", "process.env.HOOK", "ENV['HOOK']", "!vault |", "!secret hook"),
    *("vault://secret/hook", "secrets://hook", "ssm://hook", "/var/run/secrets/hook"),
    *("@Microsoft.KeyVault(SecretUri=https://x)", "__hook-secret-1__", "[FILTERED]", "<masked>"),
    *("••••1234", "null", "undefined", "None", "placeholder", "TODO: set this"),
    *(
        "changeit",
        "ChangeMe123",
        "insert-secret-here",
        "put your token here",
        "REPLACE_WITH_SECRET",
    ),
    "replace-with-a-long-random-string",
]
TWO_FORMS = (
    'expected a secret, or a reference to one as "${NAME}" in capitals '
    "or as {source, provider, id}, found a placeholder, which nothing replaces"
)


@pytest.mark.parametrize("text", PLACEHOLDERS)
def test_a_placeholder_for_a_secret_stops_the_start_with_the_two_forms(
    tmp_path: Path, text: str
) -> None:
    fields = one_route(secret=f" {text} ", secrets={"next": text})
    assert refused(tmp_path, fields) == [
        f"{ROUTES}.zapier.secret: {TWO_FORMS}",
        f"{ROUTES}.zapier.secrets.next: {TWO_FORMS}",
    ]


@pytest.mark.parametrize(
    ("audit", "path"),
    [({"pages": {"password": "{{X}}"}}, "pages.password"), ({"key": "${env:X}"}, "key")],
)
def test_a_placeholder_for_another_secret_stops_the_start_too(
    tmp_path: Path, audit: object, path: str
) -> None:
    document = {"taskflow": {"audit": audit}}
    assert refused(tmp_path, document) == [f"taskflow.audit.{path}: {TWO_FORMS}"]


def test_a_placeholder_in_a_route_that_is_off_does_not_matter(tmp_path: Path) -> None:
    settings = loaded(tmp_path, one_route(enabled=False, secret="<your-secret>"))
    assert settings.disabled == ("zapier",)


@pytest.mark.parametrize("text", [*PLACEHOLDERS, "$HOOK", "${HOOK}"])
def test_a_placeholder_that_a_variable_holds_skips_its_route(tmp_path: Path, text: str) -> None:
    settings = loaded(tmp_path, one_route(secret="${HOOK}"), {"HOOK": text})
    (skipped,) = settings.skipped
    reason = "the environment variable HOOK is a placeholder that nothing has replaced"
    assert skipped.reason == reason
    assert settings.routes == ()


def test_a_placeholder_from_any_provider_skips_its_route(tmp_path: Path) -> None:
    answer = json.dumps({"protocolVersion": 1, "values": {"hook": "{{ hook }}"}})
    for name, content in (
        ("resolver", f"#!/bin/sh\ncat > /dev/null\necho '{answer}'\n"),
        ("secrets.json", '{"hook": "${HOOK}"}'),
        ("secret.txt", "__OPENCLAW_REDACTED__\n"),
    ):
        (tmp_path / name).write_text(content, encoding="utf-8")
        (tmp_path / name).chmod(0o700)
    providers = {
        "one": {"source": "file", "path": "secrets.json"},
        "two": {"source": "file", "path": "secret.txt", "mode": "singleValue"},
        "three": {"source": "exec", "command": str(tmp_path / "resolver")},
    }
    routes = {
        name: {"sessionKey": "s", "secret": {"source": source, "provider": name, "id": at}}
        for name, source, at in (
            ("one", "file", "/hook"),
            ("two", "file", "value"),
            ("three", "exec", "hook"),
        )
    }
    settings = loaded(tmp_path, with_routes(routes, secrets={"providers": providers}))
    assert [one.route_id for one in settings.skipped] == ["one", "two", "three"]
    assert all(one.reason.endswith("nothing has replaced") for one in settings.skipped)


def test_a_placeholder_beside_a_good_secret_leaves_the_route(tmp_path: Path) -> None:
    secrets = one_route(secret="${OLD}", secrets={"next": "${NEXT}"})
    settings = loaded(tmp_path, secrets, {"OLD": SECRET, "NEXT": "${NEXT}"})
    assert [key.key_id for key in the_route(settings).keys] == ["default"]


octets = st.binary(min_size=16, max_size=64)
words = st.lists(st.sampled_from(SECRET.split()), min_size=3, max_size=6)
alphabet = string.ascii_letters + string.digits
real_secrets = st.one_of(
    octets.map(lambda raw: base64.b64encode(raw).decode()),
    octets.map(lambda raw: base64.urlsafe_b64encode(raw).decode()),
    octets.map(bytes.hex),
    octets.map(lambda raw: f"whsec_{base64.b64encode(raw).decode()}"),
    st.uuids(version=4).map(str),
    st.uuids(version=4).map(lambda each: f"{{{each}}}"),
    st.tuples(words, st.sampled_from(" -_.")).map(lambda both: both[1].join(both[0])),
    st.tuples(octets, st.sampled_from(["$2b$12$", "$argon2id$v=19$", "sk_live_", "ghp_"])).map(
        lambda both: both[1] + base64.b64encode(both[0]).decode()
    ),
    st.tuples(st.text(alphabet, min_size=8), st.text(alphabet, min_size=8)).map(
        lambda both: f"{both[0]}${both[1]}"
    ),
    st.text(alphabet + "-_.~+/=!*", min_size=16, max_size=64).map(lambda text: f"7{text}"),
)


@given(secret=real_secrets)
def test_a_real_secret_is_no_placeholder(secret: str) -> None:
    assert not is_placeholder(secret)


@pytest.mark.parametrize(
    "secret",
    [
        *("$2b$12$KIXQ1Z0u0Yx8s0l3e5o9Ou", "$ecret-With-A-Dollar-2026", "pa$$word-with-dollars"),
        *("a{b}c<d>e%f%g@h@i", "100% sure & <safe>", "${", "x}y{z", "(paren) secret", "$1 and $2"),
        *("changeme-if-you-can-7f3a", "your secret garden wall", "todo list of the mine"),
        *("xxxxxxxxxxxxxxxx", "example-only-zapier-secret", "/Zm9vYmFyYmF6cXV4/+==", "a__b__c"),
        *("[7f3a-41]", "((a) and (b)) is c", "null-and-void-7f3a", "setting-my-tokens-7f3a"),
        *("[a] b [c]", "env.hook", "an-enc(rypted)-text", "your-secretary-2026", "****7f3a41"),
        f"{{{uuid.UUID(int=0xABCDEF << 100)}}}",
    ],
)
def test_an_odd_secret_is_no_placeholder(secret: str) -> None:
    assert not is_placeholder(secret)
