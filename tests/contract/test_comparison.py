"""What fits a template, and what does not."""

import pytest

from tests.contract import cut
from tests.contract.bindings import DAY_MS, Bindings
from tests.contract.comparison import Comparison, Exactly, Maybe, Text, template_of

NOW = 1_700_000_000_000
KNOWN = Bindings().bind({"flow1": "id-one"})


def fits(recorded: object, got: object) -> bool:
    """Tell whether a value fits what was recorded, one second around now."""
    comparison = Comparison(KNOWN, NOW - 1_000, NOW + 1_000)
    return not any(comparison.differences(template_of(recorded), got))


@pytest.mark.parametrize(
    ("recorded", "got"),
    [
        ({"a": 1, "b": [True, None, "x"]}, {"b": [True, None, "x"], "a": 1}),
        (1, 1.0),
        (1e21, 1_000_000_000_000_000_000_000),
        ("${now}", NOW + 999),
        ("${now+7d}", NOW + 7 * DAY_MS),
        ("${flow1}", "id-one"),
        ("${flow1|upper}", "ID-ONE"),
        ("${flow1|first13}", "id-one"),
        ("flow ${flow1} is gone", "flow id-one is gone"),
        (["${new}", "${new}"], ["x", "x"]),
    ],
)
def test_an_equal_value_fits(recorded: object, got: object) -> None:
    assert fits(recorded, got)


@pytest.mark.parametrize(
    ("recorded", "got"),
    [
        ({"a": 1}, {}),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1}, {"a": 1, "b": None}),
        ({"a": None}, {}),
        ([1, 2], [2, 1]),
        ([1, 2], [1, 2, 3]),
        (1, True),
        (0, False),
        (1, "1"),
        ("", None),
        ({}, []),
        (12345678901234567000, 12345678901234567890),
        (9007199254740992, 9007199254740993),
        ("${now}", NOW + 1_001),
        ("${now}", NOW - 1_001),
        ("${now}", float(NOW)),
        ("${now}", "${now}"),
        ("${now+1d}", NOW),
        ("${flow1}", "id-two"),
        ("${flow1|upper}", "id-one"),
        ("${new}", "id-one"),
        ("${new}", ""),
        ("${new}", None),
        (["${new}", "${new}"], ["x", "y"]),
        (["${new}", "${newer}"], ["x", "x"]),
    ],
)
def test_another_value_does_not_fit(recorded: object, got: object) -> None:
    assert not fits(recorded, got)


def test_what_a_cut_body_shows_has_to_be_there_and_the_rest_may() -> None:
    recorded = cut.parse('{"ok":true,"result":{"flows":[{"goal":"a","step":1},{"goal":"b...<cut>')
    whole = {"ok": True, "result": {"flows": [{"goal": "a", "step": 1}, {"goal": "b"}, {}], "n": 1}}
    assert fits(recorded, whole)


@pytest.mark.parametrize(
    "got",
    [
        {"ok": True, "result": {"flows": [{"goal": "a", "step": 1, "more": 1}, {}]}},
        {"ok": True, "result": {"flows": [{"goal": "z", "step": 1}, {}]}},
        {"ok": True, "result": {"flows": [{"goal": "a", "step": 1}]}},
        {"ok": True, "result": {}},
        {"ok": True},
    ],
)
def test_a_finished_part_of_a_cut_body_has_to_be_equal(got: object) -> None:
    recorded = cut.parse('{"ok":true,"result":{"flows":[{"goal":"a","step":1},{"goal":"b...<cut>')
    assert not fits(recorded, got)


@pytest.mark.parametrize(
    ("template", "got", "is_fit"),
    [
        ({"a": Maybe(1)}, {}, True),
        ({"a": Maybe(1)}, {"a": 1}, True),
        ({"a": Maybe(1)}, {"a": 2}, False),
        (Text(), "anything", True),
        (Text(), " ", False),
        (Text("goal"), "goal: too small", True),
        (Text("goal"), "status: too small", False),
        (
            Exactly({"b": 1, "a": [12345678901234567890]}),
            {"b": 1, "a": [12345678901234567890]},
            True,
        ),
        (Exactly({"b": 1, "a": 2}), {"a": 2, "b": 1}, False),
        (Exactly(12345678901234567890), 12345678901234567000, False),
        (Exactly(1.0), 1, True),
    ],
)
def test_a_matcher_says_what_may_stand_in_its_place(
    template: object, got: object, *, is_fit: bool
) -> None:
    comparison = Comparison(KNOWN, NOW, NOW)
    assert (not any(comparison.differences(template, got))) is is_fit
