"""What deserves a look in a healthy store: advice, as some flows wait for years and are well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from domain.audit.evidence import Examined
from domain.audit.findings import Advice, AdviceCode
from domain.flow import Flow, cancel_requested, is_terminal
from domain.status import FlowStatus
from domain.values import Timestamp

_REASONS: Final = {FlowStatus.WAITING: "waits", FlowStatus.BLOCKED: "is blocked"}


def advice(flow: Flow, examined: Examined, silent_before: Timestamp) -> Iterator[Advice]:
    """Return advice on a flow: that it looks stuck, that its snapshot was deleted.

    It looks stuck if it waits, is blocked or is to be cancelled, and its latest event, be it one
    about a child, is of `silent_before` or earlier.
    """
    reason = "is to be cancelled" if cancel_requested(flow) else _REASONS.get(flow.status)
    if reason is not None and not is_terminal(flow) and flow.latest_at <= silent_before:
        yield Advice(
            code=AdviceCode.STUCK,
            sentence=f"it {reason}, and nothing was heard of it since",
            flow_id=flow.flow_id,
            status=flow.status,
            since=flow.latest_at,
        )
    if examined.snapshot is None:
        sentence = "its snapshot was deleted; each time it is folded from all its events"
        yield Advice(code=AdviceCode.SNAPSHOT_MISSING, sentence=sentence, flow_id=flow.flow_id)
