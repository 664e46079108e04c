"""What the operators' page says is what its commands do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.whole.auditing_page import Example, examples, printed_and_said
from tests.whole.operating_page import PAGES, in_place, operated


@pytest.mark.full
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_the_operators_pages_do_what_they_say(tmp_path: Path, page: Path) -> None:
    shown = examples(page.read_text(encoding="utf-8"))
    assert shown
    with operated(tmp_path) as shell:

        def type_in(example: Example, typed: str) -> str:
            *lines, status = shell.type(f'{typed}echo "status $?"').splitlines(keepends=True)
            printed = in_place("".join(lines), tmp_path)
            assert example.printed or status == "status 0\n", f"{typed}{printed}"
            return printed if example.printed else ""

        got, said = printed_and_said(shown, type_in)
    assert got == said
