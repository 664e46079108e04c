from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.pages.json_text import laid_out
from adapters.pages.values import BRIEF, WHOLE, ShownValue, brief, whole
from domain.flow.status import FlowStatus
from domain.flow.values import Json

LINES = (
    *("{", '  "id": 12345678901234567890123,', '  "list": [', '    "one",', '    "two, three"'),
    *("  ],", '  "none": [],', '  "deep": {', '    "a": {}', "  }", "}"),
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("null", "null"),
        ('{"a":[1,2.50,1e400],"b":{}}', '{"a": [1, 2.50, 1e400], "b": {}}'),
        ('"\u202e\\u0000"', '"\\u202e\\u0000"'),
        (
            '{"id":12345678901234567890123,"list":["one","two, three"],"none":[],"deep":{"a":{}}}',
            "\n".join(LINES),
        ),
        ('{"cut": "in the mid', '{"cut": "in the mid'),
    ],
)
def test_json_is_laid_out_to_the_letter(text: str, shown: str) -> None:
    assert laid_out(text) == shown


@given(st.text(max_size=300))
def test_whatever_is_laid_out_prints(text: str) -> None:
    assert all(character.isprintable() or character == "\n" for character in laid_out(text))


def test_json_that_is_nested_deep_is_laid_out_in_little_space() -> None:
    deep = "[" * 100_000 + "]" * 100_000
    assert len(laid_out(deep)) < 100 * len(deep)
    assert whole("state_json", Json(deep)).left_out > 100_000


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("goal", None, ShownValue("nothing", "none")),
        ("status", FlowStatus.FAILED, ShownValue("word", "failed")),
        ("revision", 7, ShownValue("number", "7")),
        ("ended_at", 0, ShownValue("moment", "1970-01-01T00:00:00.000Z")),
        ("goal", "a\nb", ShownValue("text", "a\\nb")),
        ("wait_json", Json('{"a":1}'), ShownValue("json", '{"a": 1}')),
    ],
)
def test_a_value_is_shown_as_what_it_is(name: str, value: object, shown: ShownValue) -> None:
    assert whole(name, value) == shown  # type: ignore[arg-type] # of each kind


def test_a_long_value_says_how_much_of_it_is_left_out() -> None:
    goal = "g" * 262_144
    assert brief("goal", goal) == ShownValue("text", "g" * BRIEF, 262_144 - BRIEF)
    assert whole("goal", goal) == ShownValue("text", "g" * WHOLE, 262_144 - WHOLE)
    assert brief("state_json", Json(f'"{goal}"')).left_out == 262_146 - BRIEF
