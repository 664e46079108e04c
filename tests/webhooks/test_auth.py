"""Who a request is from, as the reference sees it."""

from __future__ import annotations

import pytest

from adapters.webhooks.auth import authenticate
from tests.webhooks.gateway import a_head, identifying

AUTH = "Authorization"
OTHER = "x-openclaw-webhook-secret"


def key_of(*headers: tuple[str, str], configured: str = "s3cret") -> object:
    return authenticate(a_head(headers), identifying(configured))


@pytest.mark.parametrize(
    "headers",
    [
        [(AUTH, "Bearer s3cret")],
        [("authorization", "bearer s3cret")],
        [("AUTHORIZATION", "BEARER s3cret")],
        [(AUTH, "Bearer   s3cret  ")],
        [(OTHER, "s3cret")],
        [(OTHER.upper(), "s3cret")],
        [(OTHER, "  s3cret ")],
        [(AUTH, "Bearer s3cret"), (OTHER, "s3cret")],
        [(AUTH, "Bearer s3cret"), (OTHER, "no")],
        [(AUTH, "Basic abc"), (OTHER, "s3cret")],
        [(AUTH, "Bearer "), (OTHER, "s3cret")],
        [(AUTH, "Bearer"), (OTHER, "s3cret")],
        [(AUTH, "Bearer s3cret"), (AUTH, "Bearer no")],
        [(AUTH, "Bearer \u00a0s3cret\u00a0")],
        [(OTHER, "\u00a0s3cret")],
        [(AUTH, "\u00a0Bearer s3cret")],
        [(AUTH, "Bearer \u00a0"), (OTHER, "s3cret")],
    ],
)
def test_a_secret_is_found(headers: list[tuple[str, str]]) -> None:
    assert key_of(*headers) == "default"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(AUTH, "Bearer nope")],
        [(AUTH, "Bearer\ts3cret")],
        [(AUTH, "s3cret")],
        [(AUTH, "Basic czNjcmV0")],
        [(AUTH, "Bearer ")],
        [(AUTH, "Bearer")],
        [(AUTH, "Bearer s3cre")],
        [(AUTH, "Bearer s3crett")],
        [(AUTH, "Bearer S3CRET")],
        [(AUTH, "Bearer bearer s3cret")],
        [(OTHER, "no")],
        [(OTHER, "")],
        [(OTHER, "Bearer s3cret")],
        [(AUTH, "Bearer no"), (OTHER, "s3cret")],
        [(AUTH, "Bearer no"), (AUTH, "Bearer s3cret")],
        [(OTHER, "s3cret"), (OTHER, "no")],
        [(OTHER, "s3cret"), (OTHER, "s3cret")],
        [("x_openclaw_webhook_secret", "s3cret")],
    ],
)
def test_no_secret_is_found(headers: list[tuple[str, str]]) -> None:
    assert key_of(*headers) is None


def test_a_secret_may_have_blanks_inside() -> None:
    assert key_of((AUTH, "Bearer secret with spaces"), configured="secret with spaces") == "default"


def test_half_a_letter_at_the_end_of_a_secret_is_no_blank() -> None:
    as_utf8 = "voil\u00e0".encode().decode("latin-1")
    assert as_utf8.endswith("\u00a0")
    assert key_of((AUTH, f"Bearer {as_utf8}"), configured=as_utf8) == "default"


def test_a_request_without_a_secret_is_not_compared_with_anything() -> None:
    assert key_of(configured="") is None
