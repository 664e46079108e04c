"""How `auth` and `may` are read, and what of them is refused, with the field's path."""

from __future__ import annotations

import base64
import copy
import gc
import pickle
import re
from pathlib import Path

import pytest

from adapters.settings import RouteKey, SignatureKey
from adapters.settings.signature_config import SignatureConfig
from adapters.settings.signature_keys import Ed25519Key, HmacKey
from adapters.webhooks.signatures.forms import PRESETS, form_of
from tests.settings.workbench import (
    ROUTES,
    SECRET,
    advice_of,
    loaded,
    one_route,
    refused,
    the_route,
    with_routes,
)

WHSEC = "whsec_" + base64.b64encode(b"0123456789abcdefghijklmnopqrstuv").decode()
WHPK = "whpk_" + base64.b64encode(bytes(range(32))).decode()
GITHUB = {"scheme": "github"}
SCHEMES = "github, stripe, slack, standard-webhooks or hmac-sha256"
BRACES = "no braces but {id}, {timestamp} and {body}, and a sign between them"
OWN = {"scheme": "hmac-sha256", "header": "X-Sign"}


def keys_of(folder: Path, **fields: object) -> dict[str, RouteKey]:
    config = with_routes({"hub": {"sessionKey": "agent:main:main", **fields}})
    return {key.key_id: key for key in the_route(loaded(folder, config)).keys}


@pytest.mark.parametrize("scheme", PRESETS)
def test_every_scheme_can_be_configured(tmp_path: Path, scheme: str) -> None:
    auth = {"scheme": scheme} if scheme != "hmac-sha256" else OWN
    secret = WHSEC if scheme == "standard-webhooks" else SECRET
    key = keys_of(tmp_path, secret=secret, auth=auth)["default"]
    assert key.signature is not None
    assert key.signature.scheme == scheme
    assert isinstance(key.secret, HmacKey)
    assert form_of(scheme, key.signature.options).header


def test_everything_of_a_form_can_be_set(tmp_path: Path) -> None:
    auth = {
        **OWN,
        "idHeader": "X-Id",
        "prefix": "HMAC ",
        "separator": ", ",
        "encoding": "base64",
        "timestampPrefix": "t=",
        "signed": "v2:{timestamp}:{id}:{body}",
        "toleranceSeconds": 60,
    }
    key = keys_of(tmp_path, secret=SECRET, auth=auth)["default"]
    assert key.signature == SignatureConfig(
        "hmac-sha256",
        {
            "header": "x-sign",
            "id_header": "x-id",
            "prefix": "HMAC ",
            "separator": ", ",
            "encoding": "base64",
            "timestamp_prefix": "t=",
            "signed": "v2:{timestamp}:{id}:{body}",
            "tolerance_seconds": 60.0,
        },
    )


def test_a_key_may_have_a_scheme_and_rights_of_its_own(tmp_path: Path) -> None:
    keys = keys_of(
        tmp_path,
        auth=GITHUB,
        may=["create_flow", "finish_flow", "get_flow"],
        secrets={
            "plain": SECRET,
            "svix": {"secret": WHSEC, "auth": {"scheme": "standard-webhooks"}},
            "public": {"secret": WHPK, "auth": {"scheme": "standard-webhooks"}},
            "narrow": {"secret": SECRET, "may": ["get_flow", "cancel_flow"]},
        },
    )
    schemes = {key_id: key.signature and key.signature.scheme for key_id, key in keys.items()}
    assert schemes == {
        "plain": "github",
        "svix": "standard-webhooks",
        "public": "standard-webhooks",
        "narrow": "github",
    }
    assert isinstance(keys["public"].secret, Ed25519Key)
    assert keys["plain"].may == {"create_flow", "finish_flow", "get_flow"}
    assert keys["narrow"].may == {"get_flow"}


def test_a_route_without_them_is_as_it_was(tmp_path: Path) -> None:
    (key,) = keys_of(tmp_path, secret=SECRET).values()
    assert (key.signature, key.may) == (None, None)
    assert not isinstance(key.secret, SignatureKey)


@pytest.mark.parametrize(
    ("auth", "problem"),
    [
        ("github", "auth: expected an object with a scheme, found a string"),
        (
            {},
            f"auth.scheme: expected one of {SCHEMES}, found nothing",
        ),
        ({"scheme": "sha1"}, f"auth.scheme: expected one of {SCHEMES}, found another string"),
        (
            {"scheme": "github", "toleranceSeconds": 5},
            "auth.toleranceSeconds: expected one of the keys scheme, found an unknown key",
        ),
        (
            {"scheme": "stripe", "toleranceSeconds": 0},
            "auth.toleranceSeconds: expected seconds from 1 to 3600, found a smaller number",
        ),
        ({"scheme": "hmac-sha256"}, "auth.header: expected a non-empty string, found nothing"),
        (
            {"scheme": "hmac-sha256", "header": "X Sign"},
            "auth.header: expected the name of a header, found another string",
        ),
        (
            {**OWN, "encoding": "base32"},
            "auth.encoding: expected one of hex or base64, found another string",
        ),
        (
            {**OWN, "timestampHeader": "X-At"},
            "auth.signed: expected a text with {timestamp} once, found another text",
        ),
        (
            {**OWN, "idHeader": "X-Id"},
            "auth.signed: expected a text with {id} once, found another text",
        ),
        (
            {**OWN, "signed": "{timestamp}.{body}"},
            (
                "auth.signed: expected a text with {timestamp} not, as no field says where it is,"
                " found another text"
            ),
        ),
        (
            {**OWN, "signed": "constant"},
            "auth.signed: expected a text with {body} once, found another text",
        ),
        (
            {**OWN, "signed": "{body}{body}"},
            "auth.signed: expected a text with {body} once, found another text",
        ),
        (
            {**OWN, "signed": "{body}.{url}"},
            (f"auth.signed: expected {BRACES}, found another text"),
        ),
        (
            {**OWN, "timestampHeader": "X-At", "signed": "{timestamp}{body}"},
            (f"auth.signed: expected {BRACES}, found another text"),
        ),
        (
            {**OWN, "timestampPrefix": "t=", "signed": "{timestamp}.{body}"},
            "auth.timestampPrefix: expected a separator beside it, found none",
        ),
        (
            {
                **OWN,
                "separator": ",",
                "timestampHeader": "X-At",
                "timestampPrefix": "t=",
                "signed": "{timestamp}.{body}",
            },
            (
                "auth.timestampPrefix: expected one place of the time stamp, found"
                " timestampHeader as well"
            ),
        ),
        (
            {**OWN, "toleranceSeconds": 5},
            "auth.toleranceSeconds: expected timestampHeader or timestampPrefix, found none",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(tmp_path: Path, auth: object, problem: str) -> None:
    problems = refused(tmp_path, one_route(auth=auth))
    assert f"{ROUTES}.zapier.{problem}" in problems
    assert len({line.partition(":")[0] for line in problems}) == 1


def test_a_route_takes_signatures_or_bearer_secrets(tmp_path: Path) -> None:
    mixed = {"signed": {"secret": SECRET, "auth": GITHUB}, "plain": SECRET}
    config = with_routes({"hub": {"sessionKey": "agent:main:main", "secrets": mixed}})
    assert refused(tmp_path, config) == [
        (
            f"{ROUTES}.hub.secrets: expected auth for each of the route's keys, or for none of"
            " them, found keys with it and keys without"
        )
    ]


@pytest.mark.parametrize(
    ("may", "problem"),
    [
        ([], "expected at least one action, found none"),
        ("get_flow", "expected an array of actions, found a string"),
        (["delete_flow"], None),
    ],
)
def test_actions_are_named_as_they_are(tmp_path: Path, may: object, problem: str | None) -> None:
    (line,) = refused(tmp_path, one_route(may=may))
    place = f"{ROUTES}.zapier.may"
    assert line == f"{place}: {problem}" if problem else line.startswith(f"{place}[0]: ")


def test_a_key_that_may_do_nothing_is_refused(tmp_path: Path) -> None:
    key = {"secret": SECRET, "may": ["cancel_flow"]}
    route = {"sessionKey": "agent:main:main", "may": ["get_flow"], "secrets": {"none": key}}
    assert refused(tmp_path, with_routes({"hub": route})) == [
        (
            f"{ROUTES}.hub.secrets.none.may: expected an action that the route's own may has, too,"
            " found none of them"
        )
    ]


@pytest.mark.parametrize(
    "secret",
    [
        *("whsec_", "whsec_???", "whpk_AAAA", SECRET, WHSEC.removeprefix("whsec_")),
        WHPK.replace("whpk_", "whsk_"),
    ],
)
def test_a_key_is_of_its_scheme(tmp_path: Path, secret: str) -> None:
    auth = {"scheme": "standard-webhooks"}
    place = f"{ROUTES}.hub.secret"
    route = {"sessionKey": "agent:main:main", "auth": auth}
    assert refused(tmp_path, with_routes({"hub": {**route, "secret": secret}})) == [
        (
            f"{place}: expected whsec_ and a key in base64, or whpk_ and a public one,"
            " found another text"
        )
    ]
    config = with_routes({"hub": {**route, "secret": "${HUB_SECRET}"}})
    settings = loaded(tmp_path, config, {"HUB_SECRET": secret})
    assert settings.routes == ()
    (skipped,) = settings.skipped
    assert skipped.reason.startswith("it is no key of its scheme: expected whsec_")
    assert str(skipped).count(secret) == (secret == "whsec_")


def test_a_secret_of_the_schemes_own_kind_may_lack_its_padding(tmp_path: Path) -> None:
    auth = {"scheme": "standard-webhooks"}
    (key,) = keys_of(tmp_path, secret=WHSEC.rstrip("="), auth=auth).values()
    assert key.secret.is_same_as(key.secret)


def test_nothing_shows_a_key_that_verifies(tmp_path: Path) -> None:
    canary = "canary-of-a-key-51c2"
    shared = "whsec_" + base64.b64encode(canary.encode()).decode()
    (first,) = keys_of(tmp_path, secret=canary, auth=GITHUB).values()
    (second,) = keys_of(tmp_path, secret=shared, auth={"scheme": "standard-webhooks"}).values()
    for key in (first, second):
        assert repr(key.secret) == "HmacKey(***)"
        assert canary not in repr(key)
        for leave in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="neither copied nor pickled"):
                leave(key.secret)
        with pytest.raises(AttributeError, match="does not change"):
            key.secret.is_short = True
        held: list[object] = [key.secret]
        for _ in range(4):
            held.extend(gc.get_referents(*held))
        texts = [each for each in held if isinstance(each, str | bytes)]
        assert not [text for text in texts if canary in str(text)]


def test_a_signature_key_is_advised_on_like_a_secret(tmp_path: Path) -> None:
    settings = loaded(tmp_path, one_route(secret="short", auth=GITHUB))
    assert advice_of(settings) == [
        f"{ROUTES}.zapier.secret: the secret has fewer than 16 characters"
    ]


@pytest.mark.parametrize("section", ["Signed requests", "Keys that may do one thing"])
def test_the_page_for_operators_shows_what_can_be_configured(tmp_path: Path, section: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")
    text = page.split(f"\n## {section}\n")[1].split("\n## ")[0]
    (example,) = re.findall(r"```json5\n(.*?)```", text, re.DOTALL)
    config = (
        f"{{ plugins: {{ entries: {{ webhooks: {{ config: {{ routes: {{ {example} }} }} }} }} }} }}"
    )
    names = re.findall(r"\$\{(\w+)\}", example)
    settings = loaded(tmp_path, config, dict.fromkeys(names, WHSEC))
    assert len([key for route in settings.routes for key in route.keys]) == len(names) > 1
    assert settings.skipped == ()


def test_only_an_hmac_or_a_public_key_verifies() -> None:
    key = SignatureKey("text")
    with pytest.raises(NotImplementedError):
        key.verifies(b"", [])
