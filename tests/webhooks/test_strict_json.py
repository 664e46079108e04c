"""Which bytes are JSON to us, and what they mean."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.webhooks.strict_json import OVERFLOW, Malformed, compact_json, read_json

characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
texts = st.text(characters)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=30
)


def levels(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def nested(value: object, depth: int) -> object:
    for _ in range(depth):
        value = [value]
    return value


@given(value=values, ascii_only=st.booleans(), indent=st.none() | st.just(2))
def test_it_agrees_with_the_standard_reader(
    value: object,
    ascii_only: bool,  # noqa: FBT001 - hypothesis chooses it
    indent: int | None,
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert read_json(text.encode()) == json.loads(text)


@given(body=st.binary() | st.text(alphabet='[]{}",:\\u0dD8e+-1.ntrf \0').map(str.encode))
def test_no_bytes_make_it_raise(body: bytes) -> None:
    value = read_json(body)
    if not isinstance(value, Malformed) and compact_json(value) is not None:
        assert value == json.loads(body)


@given(value=values)
def test_what_is_written_is_read_again(value: object) -> None:
    compact = compact_json(read_json(json.dumps(value).encode()))
    assert compact is not None
    assert read_json(compact.encode()) == value


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"\r\n\t {} \n", {}),
        (b"\xef\xbb\xbf{}", {}),
        (b"\xef\xbb\xbf \n[]", []),
        (b'"\xef\xbb\xbf"', "\ufeff"),
        (b"null", None),
        (b"-0", 0),
        (b'{"\\u0061":1}', {"a": 1}),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'"\\ud83d\\ude00\\uD83D\\uDE00"', "\U0001f600\U0001f600"),
        (b'"\\\\u0000"', "\\u0000"),
        (b'"\\\\\\\\ud800"', "\\\\ud800"),
        (b'"\\u00e9\\u001f"', "\u00e9\x1f"),
        ('"\U0001f600\u2028"'.encode(), "\U0001f600\u2028"),
        (b'{"__proto__":{"a":1},"constructor":1}', {"__proto__": {"a": 1}, "constructor": 1}),
        (b"12345678901234567890", 12345678901234567890),
        (b"9" * 1000, int("9" * 1000)),
        (b"-" + b"9" * 1000, -int("9" * 1000)),
        (b'["' + b"9" * 1001 + b'"]', ["9" * 1001]),
        (b"0." + b"1" * 1001, 1 / 9),
        (levels(128), nested([], 127)),
        (b"[" * 127 + b'"[[[[\\"[[["' + b"]" * 127, nested('[[[["[[[', 127)),
        (b"[" + b"[]," * 500 + b"[]]", [[]] * 501),
    ],
)
def test_it_reads(body: bytes, value: object) -> None:
    assert read_json(body) == value


@pytest.mark.parametrize(
    ("body", "value"),
    [(b"1.0", 1), (b"1e2", 100), (b"-0.0", 0), (b"1e20", 10**20), (b"1E-7", 1e-07)],
)
def test_a_double_without_a_fraction_is_an_integer(body: bytes, value: float) -> None:
    got = read_json(body)
    assert (got, type(got)) == (value, type(value))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \n ",
        b'{"action":',
        b'{"a":1} x',
        b'{"a":1,}',
        b"{'a':1}",
        b"/*c*/{}",
        b"NaN",
        b"[Infinity]",
        b"[-Infinity]",
        b"0x10",
        b"01",
        b"+1",
        b".5",
        b"1.",
        b'"a\nb"',
        b'"\\x41"',
        b"undefined",
        b"True",
        b"{}\0",
        pytest.param(b"\xef\xbb\xbf", id="byte order mark alone"),
        pytest.param(b"\xef\xbb\xbf\xef\xbb\xbf{}", id="two byte order marks"),
        pytest.param(b" \xef\xbb\xbf{}", id="byte order mark after a blank"),
        pytest.param(b"{}\xef\xbb\xbf", id="byte order mark at the end"),
        pytest.param(b"\xc2\xa0{}", id="no-break space"),
        pytest.param(b"\xff\xfe{\0}\0", id="UTF-16"),
        pytest.param(b'"\xff"', id="not UTF-8"),
        pytest.param(b'"\xe2\x82"', id="cut UTF-8"),
        pytest.param(b'"\xc0\x80"', id="overlong UTF-8"),
        pytest.param(b'"\xed\xa0\x80"', id="surrogate in UTF-8"),
        pytest.param(b'{"a":1,"a":1}', id="duplicate key"),
        pytest.param(b'[{"b":{"a":1,"\\u0061":2}}]', id="duplicate key, escaped and inside"),
        pytest.param(b'"\\u0000"', id="NUL"),
        pytest.param(b'{"a\\u0000":1}', id="NUL in a key"),
        pytest.param(b'"\\\\\\u0000"', id="NUL after a backslash"),
        pytest.param(b'"\\ud800"', id="high surrogate alone"),
        pytest.param(b'"\\uDC00"', id="low surrogate alone"),
        pytest.param(b'"\\ude00\\ud83d"', id="surrogates in the wrong order"),
        pytest.param(b'"\\ud83d\\\\\\ude00"', id="surrogates kept apart by a backslash"),
        pytest.param(b'"\\ud83d\\ud83d\\ude00\\ude00"', id="a pair between two halves"),
        pytest.param(b'{"\\ud800":1}', id="surrogate in a key"),
        pytest.param(b"9" * 1001, id="integer of 1,001 digits"),
        pytest.param(b"[1,-" + b"9" * 5000 + b"]", id="integer beyond what Python reads"),
        pytest.param(levels(129), id="129 levels"),
        pytest.param(b'{"a":' * 129 + b"1" + b"}" * 129, id="129 objects"),
        pytest.param(b"[" * 100_000, id="100,000 brackets"),
    ],
)
def test_it_refuses(body: bytes) -> None:
    assert isinstance(read_json(body), Malformed)


def test_a_number_beyond_doubles_is_read_and_never_written() -> None:
    assert read_json(b'{"a":[1e400]}') == {"a": [OVERFLOW]}
    assert read_json(b"-1e400") is OVERFLOW
    assert compact_json({"a": [OVERFLOW]}) is None
    assert compact_json([10**400, OVERFLOW]) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (
            {"b": 1, "a": [True, "\u00fc\U0001f600\u2028"]},
            '{"b":1,"a":[true,"\u00fc\U0001f600\u2028"]}',
        ),
        ([10**400], f"[1{'0' * 400}]"),
        ({"10": 3, "9": [0.1, -5]}, '{"10":3,"9":[0.1,-5]}'),
    ],
)
def test_compact_text_keeps_the_order_of_keys_and_every_digit(value: object, text: str) -> None:
    assert compact_json(value) == text


@pytest.mark.parametrize(
    "body",
    [
        b'"' + b'\\"' * 131_000,
        b"[" * 200 + b'"' + b'\\"' * 130_000,
        b'["' + b"\\" * 262_000,
        b"9" * 262_000,
    ],
)
def test_the_worst_of_the_largest_bodies_are_refused_at_once(body: bytes) -> None:
    # NOTE: were a search quadratic in any of these, this would take minutes.
    assert isinstance(read_json(body), Malformed)
