"""The reasons why a command is refused. A refusal is a value, not an exception."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

from domain.flow.state import Flow


class RefusalCode(StrEnum):
    """What callers may rely on."""

    NOT_FOUND = "not_found"
    REVISION_CONFLICT = "revision_conflict"
    TERMINAL = "terminal"
    CANCEL_REQUESTED = "cancel_requested"
    TASK_NOT_FOUND = "task_not_found"
    TASK_TERMINAL = "task_terminal"
    TASK_NOT_SILENT = "task_not_silent"
    CREATE_REJECTED = "create_rejected"
    CORRELATION_KEY_TAKEN = "correlation_key_taken"
    SAME_APPROVER = "same_approver"
    WAIT_OVER = "wait_over"
    WAIT_NOT_DUE = "wait_not_due"
    LINK_USED = "link_used"


@frozen(kw_only=True)
class Refusal:
    """Why a command was refused: a code for machines, a sentence for people, and the flow as it is.

    `flow` is None only for `not_found`, which must not disclose whether there is one.
    """

    code: RefusalCode
    reason: str
    flow: Flow | None = None
