"""Blanks as the reference sees them: those of `String.trim` (ECMA-262 §12.2 and §12.3).

They differ from Python's: U+FEFF is a blank, U+0085 and U+001C to U+001F are none.
"""

from __future__ import annotations

import re
from typing import Final

WHITESPACE: Final = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)

_RUN: Final = re.compile(f"[{WHITESPACE}]+")


def trim(text: str) -> str:
    """Return a text without the blanks at its ends."""
    return text.strip(WHITESPACE)


def collapse(text: str) -> str:
    """Return a text without the blanks at its ends, and with one space for each run inside."""
    return _RUN.sub(" ", text).strip(" ")
