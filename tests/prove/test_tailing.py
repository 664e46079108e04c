"""The proof of an auditor who follows the log, at a small size."""

from __future__ import annotations

import pytest

from tests.prove import tailing
from tests.prove.result import unseen


@pytest.mark.full
def test_an_auditor_beside_64_writers_misses_no_event_and_meets_no_gap() -> None:
    result = tailing.run(0.01, unseen)
    assert result.violations == ()
    assert result.counts["polls that found events"] > 0
