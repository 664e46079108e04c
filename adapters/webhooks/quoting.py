"""What a caller sent, as far as it may be shown in an answer and in a log line."""

from __future__ import annotations

import json
from typing import Final

MOST_CHARACTERS: Final = 40


def quoted(text: str) -> str:
    """Return a text as a JSON string of visible ASCII, cut after 40 characters."""
    cut = "..." if len(text) > MOST_CHARACTERS else ""
    return json.dumps(text[:MOST_CHARACTERS]).replace("\x7f", "\\u007f") + cut
