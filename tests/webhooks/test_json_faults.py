"""What is said of a body that is no JSON: the first fault, the byte, and never a value."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.webhooks.strict_json import Malformed, read_json
from tests.webhooks.gateway import Gateway

BOM = b"\xef\xbb\xbf"
REASON = re.compile(r"byte (\d+): [ -~]{3,}|the body is empty")


def reason(body: bytes) -> str:
    value = read_json(body)
    assert isinstance(value, Malformed), value
    return value.reason


def deep(levels: int) -> bytes:
    return b'{"a":' + b"[" * levels


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "the body is empty"),
        (b" \r\n", "the body is empty"),
        (BOM, "the body is empty"),
        (BOM + BOM + b"{}", "byte 3: a byte order mark"),
        (b"\n" + BOM + b"{}", "byte 1: a byte order mark"),
        (BOM + b'{"a":1,"a":2}', 'byte 10: the key "a" is there twice'),
        (BOM + b'{"a":"\xff"}', "byte 9: not UTF-8"),
        ('{"é":"é"'.encode() + b"\xff", "byte 10: not UTF-8"),
        (b'{"goal":"\xff"}', "byte 9: not UTF-8"),
        (b'{"goal":"\xe2\x82', "byte 9: not UTF-8"),
        (b'{"goal":"\\u00e9\xff"}', "byte 15: not UTF-8"),
        (b'{"goal":"\xed\xa0\x80"}', "byte 9: not UTF-8"),
        ("{}".encode("utf-16"), "byte 0: UTF-16, where UTF-8 is expected"),
        ("{}".encode("utf-16-le"), "byte 0: UTF-16, where UTF-8 is expected"),
        ("{}".encode("utf-16-be"), "byte 0: UTF-16, where UTF-8 is expected"),
        ("{}".encode("utf-32"), "byte 0: UTF-32, where UTF-8 is expected"),
        ("{}".encode("utf-32-be"), "byte 0: UTF-32, where UTF-8 is expected"),
        (b'{"goal":1,"goal":2}', 'byte 10: the key "goal" is there twice'),
        (b'{"goal":1,"g\\u006fal" :2}', 'byte 10: the key "goal" is there twice'),
        (b'[{"a":{"b":1}},{"a":{"b":1,"b":2}}]', 'byte 27: the key "b" is there twice'),
        (b'{"a":{"a":"a"},"b":["a","a"],"a":1}', 'byte 29: the key "a" is there twice'),
        (
            b'{"\\n\\"\xc3\xa9":1,"\\n\\"\xc3\xa9":2}',
            'byte 12: the key "\\n\\"\\u00e9" is there twice',
        ),
        (b'{"\x7f":1,"\x7f":2}', 'byte 7: the key "\\u007f" is there twice'),
        (
            b'{"%b":1,"%b":2}' % (b"k" * 99, b"k" * 99),
            f'byte 105: the key "{"k" * 40}"... is there twice',
        ),
        (b'{"a":NaN}', "byte 5: NaN is not JSON"),
        (b'{"a":-NaN}', "byte 5: -NaN is not JSON"),
        (b"[Infinity]", "byte 1: Infinity is not JSON"),
        (b"[-Infinity]", "byte 1: -Infinity is not JSON"),
        (b"[+Infinity]", "byte 1: +Infinity is not JSON"),
        (b'["NaN",nan]', "byte 7: expected a value"),
        (b'"\\u0000"', "byte 1: a NUL character"),
        (b'{"a\\u0000":1}', "byte 3: a NUL character"),
        (b'["\\\\u0000","\\\\\\u0000"]', "byte 14: a NUL character"),
        (b'["\\u00e9\\ud800"]', "byte 8: half of a surrogate pair"),
        (b'"\\ud83d\\ude00\\ude00"', "byte 13: half of a surrogate pair"),
        (b"[1," + b"9" * 1001 + b"]", "byte 3: an integer of more than 1000 digits"),
        (b"[-" + b"9" * 1001, "byte 1: an integer of more than 1000 digits"),
        (b'["' + b"9" * 1001 + b'",' + b"9" * 1001 + b".5,x]", "byte 2009: expected a value"),
        (deep(128), "byte 132: more than 128 levels"),
        (deep(100_000), "byte 132: more than 128 levels"),
        (b"[1] " + b"[" * 200, "byte 4: something follows the JSON value"),
        (b"{}\0", "byte 2: something follows the JSON value"),
        (b'{"a":1}\n{"a":2}', "byte 8: something follows the JSON value"),
        (b"{} // done", "byte 3: a comment"),
        (b"/* c */ {}", "byte 0: a comment"),
        (b"# c\n{}", "byte 0: a comment"),
        (b"{'a':1}", "byte 1: a single quote"),
        (b"['a']", "byte 1: a single quote"),
        (b'{"a":1, }', "byte 6: a comma before a closing bracket"),
        (b"[1 ,\n]", "byte 3: a comma before a closing bracket"),
        (b"[,]", "byte 1: expected a value"),
        (b"{a:1}", "byte 1: expected a key in double quotes"),
        (b'{"a" 1}', "byte 5: expected a colon"),
        (b'{"a":1 "b":2}', "byte 7: expected a comma or a closing bracket"),
        (b"[1 2]", "byte 3: expected a comma or a closing bracket"),
        (b"[1}", "byte 2: expected a comma or a closing bracket"),
        (b'"a\nb"', "byte 2: a control character in a string"),
        (b'"a\0b"', "byte 2: a control character in a string"),
        (b'"\\x41"', "byte 1: an escape that is not JSON"),
        (b'["\\u12x4"]', "byte 2: an escape that is not JSON"),
        (b"\xc2\xa0{}", "byte 0: white space that is not JSON's"),
        (b"{}\x0b", "byte 2: white space that is not JSON's"),
        (b"undefined", "byte 0: expected a value"),
        (b"goal=x&action=create_flow", "byte 0: expected a value"),
        (b'{"action":', "byte 10: the body ends too early"),
        (b'{"action":"create_flow"', "byte 23: the body ends too early"),
        (b'{"action', "byte 1: a string without an end"),
        (b'["\\u00e9', "byte 8: the body ends too early"),
        (b'["\\u00', "byte 6: the body ends too early"),
        (b'["\\', "byte 1: a string without an end"),
        # the first of several
        (b'{"a":1,"a":2,"b":NaN,"\xff"', 'byte 7: the key "a" is there twice'),
        (b'{"b":NaN,"a":1,"a":2}', "byte 5: NaN is not JSON"),
        (b'{"b" NaN,"a":1,"a":2}', "byte 5: NaN is not JSON"),
        (b'{"b" x,NaN,"a":1,"a":2}', "byte 5: expected a colon"),
        (b'{"a":1,"a\n":1,"a":2}', "byte 9: a control character in a string"),
        (b'["\\x","\\ud800"]', "byte 2: an escape that is not JSON"),
        (b'["\\ud800\\x"]', "byte 2: half of a surrogate pair"),
        (b'["\xff\\ud800"]', "byte 2: not UTF-8"),
    ],
)
def test_the_first_fault_is_named_with_its_byte(body: bytes, expected: str) -> None:
    assert reason(body) == expected


pieces = st.sampled_from(
    [
        *(b"{", b"}", b"[", b"]", b",", b":", b'"', b'"a"', b'"a":', b"1", b"NaN", b"\\", b"\\u"),
        *(b"\\u0000", b"\\ud800", b" ", b"\n", b"\xff", b"\xc3\xa9", BOM, b"-", b"e", b".", b"'"),
    ]
)
bodies = st.binary() | st.lists(pieces).map(b"".join)


@given(body=bodies | st.lists(pieces).map(lambda parts: b'{"a":1,"b":[' + b"".join(parts)))
def test_every_refused_body_has_a_fault_within_it(body: bytes) -> None:
    value = read_json(body)
    if isinstance(value, Malformed):
        found = REASON.fullmatch(value.reason)
        assert found, value
        assert len(value.reason) < 300
        assert found[1] is None or int(found[1]) <= len(body)
        assert value.reason != "byte 0: not JSON"


@given(secret=st.from_regex(r"[a-z]{12,40}", fullmatch=True), end=bodies)
def test_no_value_is_ever_shown(secret: str, end: bytes) -> None:
    value = read_json(b'{"token":"%b","password":"%b",' % ((secret.encode(),) * 2) + end)
    assert isinstance(value, Malformed)
    assert secret not in value.reason


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"1," * 131_000,
        b"[" + b"[]," * 87_000,
        b"{" + b'"a" ' * 65_000,
        b'{"a"' + b" " * 262_000,
        b'["' + b"\\" * 262_000,
        b'["' + b"\\u00e9" * 43_000 + b'\\ud800"]',
        b"{" + b",".join(b'"%d":1' % i for i in range(24_000)) + b',"0":1}',
        b"[" + b"-" * 262_000,
        b"1" + b" " * 262_000 + b"1",
    ],
)
def test_the_worst_of_the_largest_bodies_are_explained_at_once(body: bytes) -> None:
    # NOTE: were a search quadratic in any of these, this would take minutes.
    assert REASON.fullmatch(reason(body))


def test_a_caller_and_the_log_are_told_the_same(gateway: Gateway) -> None:
    answer = gateway.send(b'{"action":"create_flow","goal":"a","goal":"b"}')
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_json")
    assert answer.json["error"] == 'invalid request body: byte 35: the key "goal" is there twice'
    assert [entry["reason"] for entry in gateway.access_log] == [
        'byte 35: the key "goal" is there twice'
    ]


def test_a_byte_order_mark_before_the_object_is_ignored(gateway: Gateway) -> None:
    answer = gateway.send(BOM + b'{"action":"create_flow","goal":"a"}')
    assert (answer.status_code, answer.json["result"]["flow"]["goal"]) == (200, "a")
