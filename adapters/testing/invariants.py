"""What holds of a flow whatever the rules are, between an earlier view and a later one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from adapters.testing.answers import PlainView

AnyView: TypeAlias = Mapping[str, Any]
Invariant: TypeAlias = Callable[[AnyView, AnyView], bool]

ENDED: Final = frozenset({"succeeded", "failed", "cancelled"})
CONSTANT: Final = ("flow_id", "goal", "controller_id", "notify_policy", "created_at")


def _constant(before: AnyView, now: AnyView) -> bool:
    return all(before[name] == now[name] for name in CONSTANT)


def _final(before: AnyView, now: AnyView) -> bool:
    return before["status"] not in ENDED or before == now


def _without_gaps(before: AnyView, now: AnyView) -> bool:
    return now["revision"] - before["revision"] in {0, 1, 2}


def _counted(before: AnyView, now: AnyView) -> bool:
    return before["revision"] != now["revision"] or before == now


def _sticky(before: AnyView, now: AnyView) -> bool:
    return "cancel_requested_at" in now or "cancel_requested_at" not in before


def _ended_when_over(_: AnyView, now: AnyView) -> bool:
    return ("ended_at" in now) is (now["status"] in ENDED)


def _forward(before: AnyView, now: AnyView) -> bool:
    return bool(now["created_at"] <= before["updated_at"] <= now["updated_at"])


def _ends_last(_: AnyView, now: AnyView) -> bool:
    return bool(now.get("ended_at", now["updated_at"]) == now["updated_at"])


def _wants_before_it_ends(_: AnyView, now: AnyView) -> bool:
    return now["status"] != "cancelled" or "cancel_requested_at" in now


INVARIANTS: Final[Mapping[str, Invariant]] = {
    "what a flow was created with never changes": _constant,
    "a flow that has ended never changes": _final,
    "revisions move by one for each accepted change, by two for a cancellation": _without_gaps,
    "whatever changes in a flow moves its revision": _counted,
    "a cancel intent never clears": _sticky,
    "a flow has an end exactly if it has ended": _ended_when_over,
    "moments never go back": _forward,
    "the end is the last change": _ends_last,
    "a cancelled flow was asked to be": _wants_before_it_ends,
}


def broken_invariants(before: PlainView, now: PlainView) -> list[str]:
    """Return the invariants that are broken between two views, with no command unseen."""
    return [name for name, holds in INVARIANTS.items() if not holds(before, now)]
