"""Laws on two looks at a flow: each is broken by what it forbids, and by nothing that is right."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.testing.invariants import INVARIANTS, broken_invariants

QUEUED: dict[str, Any] = {
    "flow_id": "flow-1",
    "goal": "g",
    "controller_id": "c",
    "notify_policy": "done_only",
    "created_at": 1,
    "updated_at": 5,
    "revision": 3,
    "status": "queued",
}
WANTED = {**QUEUED, "revision": 4, "cancel_requested_at": 6, "updated_at": 6}
ENDED = {**QUEUED, "revision": 4, "status": "failed", "updated_at": 6, "ended_at": 6}
CANCELLED = {**WANTED, "revision": 5, "status": "cancelled", "ended_at": 6}


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (QUEUED, QUEUED),
        (QUEUED, WANTED),
        (QUEUED, ENDED),
        (QUEUED, CANCELLED),
        (WANTED, CANCELLED),
        (ENDED, ENDED),
    ],
)
def test_what_may_happen_breaks_no_law(before: dict[str, Any], now: dict[str, Any]) -> None:
    assert broken_invariants(before, now) == []


@pytest.mark.parametrize(
    ("before", "now", "law"),
    [
        (QUEUED, {**WANTED, "goal": "h"}, "what a flow was created with never changes"),
        (ENDED, {**ENDED, "state_json": "1"}, "a flow that has ended never changes"),
        (QUEUED, {**WANTED, "revision": 6}, "revisions move by one"),
        (QUEUED, {**WANTED, "revision": 2}, "revisions move by one"),
        (QUEUED, {**QUEUED, "current_step": "s"}, "whatever changes in a flow moves its revision"),
        (WANTED, {**QUEUED, "revision": 5, "updated_at": 6}, "a cancel intent never clears"),
        (QUEUED, {**QUEUED, "status": "failed", "revision": 4}, "a flow has an end exactly if"),
        (QUEUED, {**WANTED, "ended_at": 6}, "a flow has an end exactly if"),
        (QUEUED, {**WANTED, "updated_at": 4}, "moments never go back"),
        (QUEUED, {**ENDED, "ended_at": 5}, "the end is the last change"),
        (QUEUED, {**ENDED, "status": "cancelled"}, "a cancelled flow was asked to be"),
    ],
)
def test_what_must_not_happen_breaks_its_law(
    before: dict[str, Any], now: dict[str, Any], law: str
) -> None:
    assert law in " ".join(broken_invariants(before, now))


def test_every_law_can_be_broken() -> None:
    assert len(INVARIANTS) == 9
