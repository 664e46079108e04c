"""Text without the blanks that the reference takes away."""

from __future__ import annotations

import re
from typing import Final

from domain.flow.values import BLANKS

_RUN: Final = re.compile(f"[{BLANKS}]+")


def trim(text: str) -> str:
    """Return a text without the blanks at its ends."""
    return text.strip(BLANKS)


def collapse(text: str) -> str:
    """Return a text without the blanks at its ends, and with one space for each run inside."""
    return _RUN.sub(" ", text).strip(" ")
