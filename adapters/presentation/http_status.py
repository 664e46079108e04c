"""The HTTP status of a refusal: the domain names it by a code, and knows no protocol."""

from __future__ import annotations

from typing import Final

from domain.application.outcomes import KEY_REUSED
from domain.flow.refusals import RefusalCode

ACTION_NOT_ALLOWED: Final = "action_not_allowed"
"""The code of an action that is not among those of a key."""

_STATUSES: Final[dict[str, int]] = {
    ACTION_NOT_ALLOWED: 403,
    RefusalCode.NOT_FOUND: 404,
    RefusalCode.TASK_NOT_FOUND: 404,
    KEY_REUSED: 422,
    RefusalCode.SAME_APPROVER: 403,
    RefusalCode.LINK_USED: 410,
}
_CONFLICT: Final = 409


def http_status(code: str) -> int:
    """Return the status of the answer to a request that was refused with a code."""
    return _STATUSES.get(code, _CONFLICT)
