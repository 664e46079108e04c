"""Keys that are valid from some moment, and until some moment."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.settings import InvalidKey
from domain.flow.ids import KeyId
from tests.settings.workbench import ROUTES, loaded, refused, the_route, with_routes

ONE = "the first of two secrets"
TWO = "the second of two secrets"
DAY = "2026-12-01T00:00:00Z"
PLACE = f"{ROUTES}.zapier.secrets.k"


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def with_keys(**keys: object) -> dict[str, object]:
    return with_routes({"zapier": {"sessionKey": "agent:main:main", "secrets": keys}})


def test_a_key_is_valid_from_its_first_moment_until_before_its_last(tmp_path: Path) -> None:
    times = {"notBefore": DAY, "notAfter": "2026-12-02T00:00:00Z"}
    only = the_route(loaded(tmp_path, with_keys(k={"secret": ONE, **times})))
    begin, end = moment(DAY), moment("2026-12-02T00:00:00Z")
    assert only.identify(ONE, begin - 1) == InvalidKey(KeyId("k"), "key_not_yet_valid")
    assert [only.identify(ONE, at) for at in (begin, end - 1)] == ["k", "k"]
    assert only.identify(ONE, end) == InvalidKey(KeyId("k"), "key_expired")
    assert only.identify(TWO, end) is None


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-12-01T01:30:00+01:30", DAY),
        ("2026-11-30T23:59:00-00:01", DAY),
        ("2026-12-01T00:00:00.000Z", DAY),
        ("2026-12-01T00:00:00-00:00", DAY),
        ("0001-01-01T00:00:00+23:59", "0001-01-01T00:00:00+23:59"),
        ("9999-12-31T23:59:59.999999-23:59", "9999-12-31T23:59:59.999-23:59"),
    ],
)
def test_an_offset_counts(tmp_path: Path, text: str, same: str) -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    at = (datetime.fromisoformat(same) - epoch).total_seconds() * 1000
    (key,) = the_route(loaded(tmp_path, with_keys(k={"secret": ONE, "notBefore": text}))).keys
    assert key.validity.not_before == round(at)


@pytest.mark.parametrize(
    "wrong",
    [
        *("2026-12-01", "2026-12-01T00:00:00", "2026-12-01 00:00:00Z", "2026-12-01t00:00:00z"),
        *("2026-12-01T00:00Z", "20261201T000000Z", "2026-12-01T24:00:00Z", "2026-12-01T23:59:60Z"),
        *("2026-02-30T00:00:00Z", "2026-12-01T00:00:00+0100", "2026-12-01T00:00:00+25:00"),
        *("2026-12-01T00:00:00,5Z", "2026-12-01T00:00:00.Z", "٢٠٢٦-12-01T00:00:00Z", f" {DAY}"),
        *(f"{DAY}\n", "0000-01-01T00:00:00Z", "2026-W49-2T00:00:00Z", "", "tomorrow"),
    ],
)
def test_another_form_of_a_time_is_refused(tmp_path: Path, wrong: str) -> None:
    expected = "expected a time with its offset like 2026-12-01T00:00:00Z, found another string"
    assert refused(tmp_path, with_keys(k={"secret": ONE, "notAfter": wrong})) == [
        f"{PLACE}.notAfter: {expected}"
    ]


@pytest.mark.parametrize("wrong", [0, 1_795_000_000, True, None, [DAY], {"at": DAY}])
def test_a_time_is_a_string(tmp_path: Path, wrong: object) -> None:
    (problem,) = refused(tmp_path, with_keys(k={"secret": ONE, "notBefore": wrong}))
    assert problem.startswith(f"{PLACE}.notBefore: expected a time with its offset like ")


@pytest.mark.parametrize("end", [DAY, "2026-11-30T00:00:00Z", "1970-01-01T00:00:00Z"])
def test_a_key_that_would_never_be_valid_is_refused(tmp_path: Path, end: str) -> None:
    key = {"secret": ONE, "notBefore": DAY, "notAfter": end}
    assert refused(tmp_path, with_keys(k=key)) == [
        f"{PLACE}.notAfter: expected a time after notBefore, found none after it"
    ]


def test_a_key_of_before_1970_may_be_expired(tmp_path: Path) -> None:
    key = {"secret": ONE, "notBefore": "1960-01-01T00:00:00Z", "notAfter": "1970-01-01T00:00:00Z"}
    only = the_route(loaded(tmp_path, with_keys(k=key)))
    assert only.identify(ONE, 0) == InvalidKey(KeyId("k"), "key_expired")


def test_a_reference_has_times_too(tmp_path: Path) -> None:
    ref = {"source": "env", "provider": "default", "id": "HOOK_SECRET"}
    for secret in (ref, "${HOOK_SECRET}"):
        settings = loaded(
            tmp_path, with_keys(k={"secret": secret, "notAfter": DAY}), {"HOOK_SECRET": ONE}
        )
        assert the_route(settings).identify(ONE, 0) == "k"
        assert the_route(settings).identify(ONE, moment(DAY)) == InvalidKey(
            KeyId("k"), "key_expired"
        )


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ({"notAfter": DAY}, f"{PLACE}.secret: expected a secret or a SecretRef, found nothing"),
        ({"secret": {"secret": ONE}}, f"{PLACE}.secret.secret: expected one of the keys "),
        ({"secret": ONE, "notafter": DAY}, f"{PLACE}.notafter: expected one of the keys secret, "),
        ({"secret": ONE, "source": "env"}, f"{PLACE}.source: expected one of the keys secret, "),
        ({"secret": "{{SECRET}}"}, f"{PLACE}.secret: expected a secret, or a reference"),
        ({"secret": 7}, f"{PLACE}.secret: expected a secret or a SecretRef, found a number"),
        ({}, f'{PLACE}.source: expected one of "env", "file", "exec", found nothing'),
    ],
)
def test_what_is_neither_a_reference_nor_a_key_is_refused(
    tmp_path: Path, key: object, problem: str
) -> None:
    assert any(found.startswith(problem) for found in refused(tmp_path, with_keys(k=key)))


def test_of_two_keys_with_one_secret_the_valid_one_counts(tmp_path: Path) -> None:
    old = {"secret": ONE, "notAfter": "2000-01-01T00:00:00Z"}
    only = the_route(loaded(tmp_path, with_keys(old=old, new=ONE)))
    assert only.identify(ONE, moment(DAY)) == "new"


def test_a_plain_secret_has_no_times(tmp_path: Path) -> None:
    timed = {"sessionKey": "agent:main:main", "secret": {"secret": ONE, "notAfter": DAY}}
    assert refused(tmp_path, with_routes({"zapier": timed}))
