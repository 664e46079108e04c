"""What the senders' pages show is what happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.whole.auditing_page import examples, masked, same_places
from tests.whole.sender_pages import PAGES, sender_of


@pytest.mark.full
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_shows_what_happens(page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    shown = examples(text)
    assert shown
    said, got = "", ""
    places: dict[str, str] = {}
    with sender_of(text, tmp_path) as sender:
        for example in shown:
            typed = example.typed
            for old, new in places.items():
                typed = typed.replace(old, new)
            printed = sender.type(typed)
            places |= same_places(example.printed, printed)
            said += f"$ {example.typed}{example.printed}"
            got += f"$ {typed}{printed}"
    assert masked(got).splitlines() == masked(said).splitlines()
