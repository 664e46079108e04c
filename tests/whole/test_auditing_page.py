"""What the auditors' page shows is what its commands print."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.whole.auditing_page import PAGE, audited, examples, masked, same_places


@pytest.mark.parametrize(
    ("until", "count"),
    [("## To prove", 10), pytest.param("## What is proven", 18, marks=pytest.mark.full)],
)
def test_the_examples_of_the_auditors_page_print_what_it_says(
    tmp_path: Path, until: str, count: int
) -> None:
    read, found, _ = PAGE.read_text(encoding="utf-8").partition(f"\n{until}")
    shown = examples(read)
    said, got = "", ""
    places: dict[str, str] = {}
    with audited(tmp_path) as shell:
        for example in shown:
            typed = example.typed
            for old, new in places.items():
                typed = typed.replace(old, new)
            printed = shell.type(typed)
            places |= same_places(example.printed, printed)
            said += f"$ {example.typed}{example.printed}"
            got += f"$ {typed}{printed}"
    assert masked(got).splitlines() == masked(said).splitlines()
    assert (len(shown), bool(found)) == (count, True)
