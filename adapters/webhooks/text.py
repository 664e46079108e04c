"""What a caller sent: without the blanks that the reference takes away, or as it may be shown."""

from __future__ import annotations

import json
import re
from typing import Final

from domain.flow.values import BLANKS

MOST_CHARACTERS: Final = 40
_RUN: Final = re.compile(f"[{BLANKS}]+")


def trim(text: str) -> str:
    """Return a text without the blanks at its ends."""
    return text.strip(BLANKS)


def collapse(text: str) -> str:
    """Return a text without the blanks at its ends, and with one space for each run inside."""
    return _RUN.sub(" ", text).strip(" ")


def quoted(text: str) -> str:
    """Return a text as a JSON string of visible ASCII, cut after 40 characters."""
    cut = "..." if len(text) > MOST_CHARACTERS else ""
    return json.dumps(text[:MOST_CHARACTERS]).replace("\x7f", "\\u007f") + cut
