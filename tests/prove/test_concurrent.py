"""The proof with concurrent clients, a few hundred calls of it."""

from __future__ import annotations

from tests.prove.concurrent import run
from tests.prove.result import unseen


def test_some_hundred_calls_of_concurrent_clients_are_told_one_true_story() -> None:
    result = run(0.004, unseen)
    assert result.violations == ()
    assert result.counts["calls"] >= 400
    assert result.counts["kills"] >= 1
