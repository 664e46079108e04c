"""The proof with two gateways on one database, each part killed once."""

from __future__ import annotations

import pytest

from tests.prove.databases import run
from tests.prove.result import unseen


@pytest.mark.full
def test_clients_of_two_gateways_are_told_one_true_story_whatever_is_killed() -> None:
    result = run(0.04, unseen)
    assert [fault for fault in result.violations if "s after its database" not in fault] == []
    assert result.counts["calls"] >= 400
    assert result.counts["kills"] == 4
