"""Measured figures, shown also where a test passes."""

from __future__ import annotations

import pytest


def show(capsys: pytest.CaptureFixture[str], text: object) -> None:
    """Print past pytest's capture."""
    with capsys.disabled():
        print(f"\n{text}", flush=True)  # noqa: T201 - that is what it is for
