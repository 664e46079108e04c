"""Who found a fault last is asked first; one that is gone has not found it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.mutants.finding import STEPS, Copy
from tests.mutants.patches import Patch

_OPTIONS: Final = '[pytest]\naddopts = -m "not full"\nmarkers = full\n'
_TESTS: Final = """
import pytest
from x import X
def test_anything(): assert X
@pytest.mark.full
def test_full(): assert X == 1
def test_one(): assert X == 1
"""
_DIFF: Final = "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-X = 1\n+X = 2\n"


@pytest.mark.parametrize(
    ("finder", "finds"),
    [
        ("tests/test_x.py::test_one", True),
        ("tests/test_x.py::test_full", False),
        ("tests/test_x.py::test_gone", False),
    ],
)
def test_a_finder_finds_unless_it_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, finder: str | None, *, finds: bool
) -> None:
    monkeypatch.setitem(STEPS, "wire", ("tests/test_x.py::test_anything",))
    (tmp_path / "tests").mkdir()
    (tmp_path / "pytest.ini").write_text(_OPTIONS)
    (tmp_path / "tests" / "test_x.py").write_text(_TESTS)
    (tmp_path / "x.py").write_text("X = 1\n")
    found = Copy(tmp_path).find(Patch("590", "wire", "X is 2.", finder, "x.py", _DIFF), 1)
    assert (found is not None) is finds
    assert found is None or found.by == finder
