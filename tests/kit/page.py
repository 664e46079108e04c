"""The worked examples of `docs/testing.md`, which name the modules as the wheel has them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

PAGE: Final = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
_SECTION: Final = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_BLOCK: Final = re.compile(r"^```(python|text)\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLES: Final[dict[str, str]] = dict(_SECTION.findall(PAGE))


def in_repository(text: str) -> str:
    """Return a text with the names that its modules have in this repository."""
    return text.replace("taskflow_webhooks.", "")


def blocks_of(example: str) -> list[tuple[str, str]]:
    """Return the blocks of an example: each `python`, or the `text` that the one above prints."""
    return _BLOCK.findall(example)


def program_of(example: str) -> str:
    """Return an example as one program."""
    return "".join(text for kind, text in blocks_of(example) if kind == "python")


def printed_by(example: str) -> str:
    """Return what an example prints from start to end."""
    return "".join(text for kind, text in blocks_of(example) if kind == "text")
