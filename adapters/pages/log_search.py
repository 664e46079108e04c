"""Where in the log a moment lies, found by halving: no index knows times.

The log is in the order of the clock that wrote it, but for the steps that the clock took back. Who
looks from here on allows for steps of up to `SLACK`; larger ones are not followed.
"""

from __future__ import annotations

from typing import Final

from domain.flow.values import Timestamp
from domain.history.audit_log import AuditLog, UnreadableEvent

SLACK: Final = 86_400_000
"""Milliseconds: a day."""


def position_after(audit_log: AuditLog, at: Timestamp) -> int:
    """Return the first position whose event was recorded after a moment; the end if there is none.

    Where an event on the way is missing or cannot be read it is the end as well, which costs time
    and hides nothing.
    """
    end = audit_log.size() + 1
    low, high = 1, end
    while low < high:
        middle = (low + high) // 2
        recorded = _recorded(audit_log, middle)
        if recorded is None:
            return end
        if recorded > at:
            high = middle
        else:
            low = middle + 1
    return low


def _recorded(audit_log: AuditLog, position: int) -> Timestamp | None:
    try:
        for entry in audit_log.entries(position, position):
            return audit_log.read(entry).metadata.recorded_at
    except UnreadableEvent:
        pass
    return None
