"""What the senders' pages show is what happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.whole.auditing_page import examples, printed_and_said
from tests.whole.sender_pages import PAGES, sender_of


@pytest.mark.full
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_shows_what_happens(page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    shown = examples(text)
    assert shown
    with sender_of(text, tmp_path) as sender:
        got, said = printed_and_said(shown, lambda _, typed: sender.type(typed))
    assert got == said
