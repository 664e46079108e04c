"""The proof of a gateway's memory, at a small size."""

from __future__ import annotations

import pytest

from tests.prove import memory
from tests.prove.result import unseen


@pytest.mark.full
def test_each_request_from_another_address_leaves_nothing_in_memory() -> None:
    result = memory.run(0.03, unseen)
    assert result.violations == ()
    assert result.counts["requests"] == 30_000
