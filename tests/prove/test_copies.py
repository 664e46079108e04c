"""The proof of copies at a small size."""

from __future__ import annotations

import pytest

from tests.prove import copies
from tests.prove.result import unseen


@pytest.mark.full
def test_a_store_that_went_there_and_back_is_the_same() -> None:
    result = copies.run(0.002, unseen)
    assert result.violations == ()
    assert result.counts["events"] == 2_000
