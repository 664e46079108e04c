"""The documentation names nothing that is not there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ADRS = sorted((ROOT / "docs" / "adr").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def named_paths(text: str) -> set[str]:
    """Return the paths below our folders that a text names as code, or links to."""
    code = re.findall(r"`((?:tests|adapters|domain|docs|bench|examples)/[\w./-]*)`", text)
    links = re.findall(r"\]\((?!http|#)([\w./-]+)\)", text)
    return {*code, *links}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_that_a_page_names_exists(page: Path) -> None:
    paths = named_paths(page.read_text(encoding="utf-8"))
    missing = {
        path for path in paths if not ((ROOT / path).exists() or (page.parent / path).exists())
    }
    assert missing == set()


@pytest.mark.parametrize("adr", ADRS, ids=lambda adr: adr.stem)
def test_a_decision_is_short_and_says_what_it_costs(adr: Path) -> None:
    text = adr.read_text(encoding="utf-8")
    assert 120 <= len(text.split()) <= 260
    headings = ("Context", "Decision", "Alternatives", "Consequences", "Confirmed by")
    assert [word for word in headings if f"**{word}" not in text] == []


def test_decisions_are_numbered_without_gaps() -> None:
    assert [int(adr.name[:4]) for adr in ADRS] == list(range(1, len(ADRS) + 1))


def test_nothing_names_the_machine_it_was_written_on() -> None:
    listed = subprocess.run(
        ["git", "grep", "-lE", "(^|[^a-z])/work/(main|shared|\\.library)"],  # noqa: S607 - git
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    assert [name for name in listed if name != "tests/test_documentation.py"] == []
