"""The structure of a JSON text: its brackets and commas, those inside strings left out."""

import re
from collections.abc import Iterator

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[\[\]{},]', re.DOTALL)
CLOSER = {"{": "}", "[": "]"}


def marks(text: str) -> Iterator[tuple[int, str]]:
    """Give each bracket and comma outside strings with its position; a string may be unfinished."""
    for token in _TOKEN.finditer(text):
        if not token[0].startswith('"'):
            yield token.start(), token[0]


def depth(text: str) -> int:
    """Count how deep a text nests, its outermost bracket included."""
    deepest = level = 0
    for _, mark in marks(text):
        level += (mark in "[{") - (mark in "]}")
        deepest = max(deepest, level)
    return deepest
