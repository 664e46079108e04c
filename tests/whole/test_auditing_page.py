"""What the auditors' page shows is what its commands print."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.whole.auditing_page import PAGE, audited, examples, printed_and_said


@pytest.mark.parametrize(
    ("until", "count"),
    [("## To prove", 10), pytest.param("## What is proven", 18, marks=pytest.mark.full)],
)
def test_the_examples_of_the_auditors_page_print_what_it_says(
    tmp_path: Path, until: str, count: int
) -> None:
    read, found, _ = PAGE.read_text(encoding="utf-8").partition(f"\n{until}")
    shown = examples(read)
    with audited(tmp_path) as shell:
        got, said = printed_and_said(shown, lambda _, typed: shell.type(typed))
    assert got == said
    assert (len(shown), bool(found)) == (count, True)
