"""What the operators' page says is what its commands do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.whole.auditing_page import examples, masked, same_places
from tests.whole.operating_page import PAGES, in_place, operated


@pytest.mark.full
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_the_operators_pages_do_what_they_say(tmp_path: Path, page: Path) -> None:
    shown = examples(page.read_text(encoding="utf-8"))
    assert shown
    said, got = "", ""
    places: dict[str, str] = {}
    with operated(tmp_path) as shell:
        for example in shown:
            typed = example.typed
            for old, new in places.items():
                typed = typed.replace(old, new)
            *lines, status = shell.type(f'{typed}echo "status $?"').splitlines(keepends=True)
            printed = in_place("".join(lines), tmp_path)
            places |= same_places(example.printed, printed)
            said += f"$ {example.typed}{example.printed}"
            got += f"$ {typed}{printed if example.printed else ''}"
            assert example.printed or status == "status 0\n", f"{typed}{printed}"
    assert masked(got).splitlines() == masked(said).splitlines()
