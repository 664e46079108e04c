"""The proof with power cuts, on a short recording."""

from __future__ import annotations

import shutil
import sys

import pytest

from tests.prove.power_cuts import run
from tests.prove.result import unseen


@pytest.mark.full
@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("cc"), reason="Linux, with cc")
def test_no_power_cut_loses_what_was_acknowledged() -> None:
    result = run(0.002, unseen)
    assert result.violations == ()
    assert result.counts["events acknowledged"] > 20
