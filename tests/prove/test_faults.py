"""The proof with a failing disk, at some points."""

from __future__ import annotations

import shutil
import sys

import pytest

from tests.prove.faults import run
from tests.prove.result import unseen


@pytest.mark.full
@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("cc"), reason="Linux, with cc")
def test_a_disk_that_fails_at_single_calls_loses_nothing() -> None:
    result = run(0.05, unseen)
    assert result.violations == ()
    assert min(result.counts["failed calls"], result.counts["refused requests"]) > 20
