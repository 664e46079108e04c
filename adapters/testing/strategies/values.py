"""JSON values of any shape and at the limits, and session keys."""

from __future__ import annotations

import json
from typing import Final

from hypothesis import strategies as st

from adapters.testing.examples import OWNER, STRANGER
from domain.flow.values import Json

MOST_LEVELS: Final = 127
"""How deep a value may be nested; the body around it is the 128th level."""
MOST_DIGITS: Final = 1000

owners = st.sampled_from([OWNER, STRANGER, "agent:ops:main", "agent::", "no-agent", "äöü:😀:x"])
"""Session keys: such as name an agent, and such as do not."""


def compact(value: object) -> Json:
    """Return a JSON value as the service holds it: compact, keys in their order."""
    return Json(json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False))


def _nested(levels: int) -> list[object]:
    return [_nested(levels - 1)] if levels > 1 else []


def _nested_objects(levels: int) -> dict[str, object]:
    return {"k": _nested_objects(levels - 1)} if levels > 1 else {}


ODD_KEYS: Final = ("", " ", "__proto__", "10", "9", "a.b", "$ref", '"', "\\", "\u2028", "é", "😀")

JSON_LIMITS: Final = (
    compact(_nested(MOST_LEVELS)),
    compact(_nested_objects(MOST_LEVELS)),
    compact(10 ** (MOST_DIGITS - 1)),
    compact(-(10**MOST_DIGITS) + 1),
    compact([2**53 - 1, 2**53, 2**53 + 1, -(2**63), 2**64, 0, -1]),
    compact([0.5, -2.25, 1e-3, 123456.75]),
    compact({key: number for number, key in enumerate(ODD_KEYS)}),
    compact("\n\t\x01\x7f\u2028\ufeff" + "é😀" * 500),
    compact([True, False, None, "", [], {}]),
)
"""Values at the edge of what is taken, small enough to be sent by the thousand."""

big_strings = st.sampled_from([1_000, 65_536, 200_000]).map(lambda size: compact("x" * size))
jsons_at_the_limits = st.sampled_from(JSON_LIMITS) | big_strings

jsons = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**20), 2**20).map(lambda number: (2 * number + 1) / 2**10)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(ODD_KEYS) | st.text("ab", max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
).map(compact)
"""JSON values of any shape, as every reader understands them alike."""
