from __future__ import annotations

import copy
import hashlib
import pickle
from concurrent.futures import ThreadPoolExecutor

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.settings import RouteConfig, RouteKey, Secret
from domain.application.limits import RouteLimits
from domain.flow.ids import KeyId, Owner, RouteId

CANARY = "canary-7f3a9c"


def presented(octets: bytes) -> str:
    """Return a header's value as WSGI hands it over."""
    return octets.decode("latin-1")


def route_with(**secrets: str) -> RouteConfig:
    return RouteConfig(
        route_id=RouteId("zapier"),
        path="/plugins/webhooks/zapier",
        owner=Owner("agent:main:main"),
        controller_id="webhooks/zapier",
        keys=tuple(RouteKey(KeyId(key_id), Secret(text)) for key_id, text in secrets.items()),
        limits=RouteLimits(),
    )


def test_a_secret_matches_itself_and_nothing_else() -> None:
    secret = Secret("secret with spaces")
    assert secret.matches("secret with spaces")
    for other in ("", "secret", "secret with spaces ", "Secret with spaces"):
        assert not secret.matches(other)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_secret_beyond_ascii_matches_in_both_encodings(encoding: str) -> None:
    assert Secret("gehéim").matches(presented("gehéim".encode(encoding)))


def test_a_secret_beyond_latin_1_matches_as_utf_8() -> None:
    assert Secret("秘密の合言葉").matches(presented("秘密の合言葉".encode()))


def test_text_that_no_header_holds_matches_nothing() -> None:
    assert not Secret("?").matches("秘")
    assert not Secret("秘").matches("秘")
    assert not Secret("a").matches("\ud800")


@given(secret=st.text(min_size=1), other=st.text())
def test_only_the_bytes_of_a_secret_match_it(secret: str, other: str) -> None:
    assert Secret(secret).matches(presented(secret.encode()))
    wire = {secret.encode()} | ({secret.encode("latin-1")} if max(secret) <= "\xff" else set())
    assert Secret(secret).matches(presented(other.encode())) == (other.encode() in wire)


def test_nothing_shows_a_secret() -> None:
    secret = Secret(CANARY)
    shown = [str(secret), repr(secret), f"{secret}", f"{secret:>40}", f"{secret!r}"]
    assert shown == ["Secret(***)"] * 5
    assert CANARY not in repr(route_with(default=CANARY))
    assert CANARY not in repr(attrs.asdict(route_with(default=CANARY)))
    assert CANARY not in repr([getattr(secret, name, None) for name in dir(secret)])


def test_a_secret_stays_where_it_is_and_as_it_is() -> None:
    secret = Secret(CANARY)
    for leave in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="neither copied nor pickled"):
            leave(secret)
    with pytest.raises(AttributeError, match="does not change"):
        secret.is_short = True
    with pytest.raises(AttributeError, match="does not change"):
        del secret.is_short


def test_secrets_are_not_compared_by_equality() -> None:
    assert Secret(CANARY) != Secret(CANARY)
    assert Secret(CANARY).is_same_as(Secret(CANARY))
    assert not Secret(CANARY).is_same_as(Secret("another"))


def test_a_secret_is_compared_in_many_threads_at_once() -> None:
    secret = Secret(CANARY)
    tries = [CANARY, "wrong"] * 200
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(secret.matches, tries)) == [True, False] * 200


def test_a_route_names_the_key_that_was_presented() -> None:
    route = route_with(old="the old secret", new="the new secret")
    assert route.identify("the old secret", 0) == "old"
    assert route.identify("the new secret", 0) == "new"
    assert route.identify("another secret", 0) is None
    assert route.identify("", 0) is None


def test_of_two_keys_with_one_secret_the_first_is_named() -> None:
    assert route_with(a="the same", b="the same").identify("the same", 0) == "a"


def test_every_key_is_compared_whichever_matches() -> None:
    """Else the time of an answer tells which key it was."""
    compared: list[str] = []

    class Watched(str):
        __slots__ = ()

        def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
            compared.append(encoding)
            return super().encode(encoding, errors)

    route = route_with(a="one", b="two", c="three")
    assert route.identify(Watched("one"), 0) == "a"
    assert compared == ["latin-1"] * 3


def test_a_fingerprint_is_slow_to_make_and_of_one_salt() -> None:
    text, salt = "correct horse battery staple", b"0123456789abcdef"
    digest = hashlib.sha256(text.encode()).digest()
    slow = hashlib.scrypt(digest, salt=salt, n=16_384, r=8, p=1, dklen=16)
    assert Secret(text).fingerprint(salt) == f"scrypt:{slow.hex()}"
    assert Secret(text).fingerprint(b"another") != Secret(text).fingerprint(salt)
    assert Secret("another").fingerprint(salt) != Secret(text).fingerprint(salt)
