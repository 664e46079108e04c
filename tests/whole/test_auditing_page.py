"""What the auditors' page shows is what its commands print."""

from __future__ import annotations

from pathlib import Path

from tests.whole.auditing_page import PAGE, audited, examples, masked, same_places


def test_the_examples_of_the_auditors_page_print_what_it_says(tmp_path: Path) -> None:
    shown = examples(PAGE.read_text(encoding="utf-8"))
    said, got = "", ""
    ids: dict[str, str] = {}
    with audited(tmp_path) as shell:
        for example in shown:
            typed = example.typed
            for old, new in ids.items():
                typed = typed.replace(old, new)
            printed = shell.type(typed)
            ids |= same_places(example.printed, printed)
            said += f"$ {example.typed}{example.printed}"
            got += f"$ {typed}{printed}"
    assert masked(got).splitlines() == masked(said).splitlines()
    assert len(shown) > 0
