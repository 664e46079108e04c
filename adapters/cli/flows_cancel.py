"""`taskflow flows cancel`: end a flow in the operator's name."""

from __future__ import annotations

from typing import assert_never

from adapters.cli.asks import CancelFlow
from adapters.cli.exits import Exit
from adapters.cli.terminal import Terminal
from adapters.cli.tools import Tools
from adapters.presentation.documents import Document, flow_document, task_documents
from adapters.presentation.printable import counted
from domain.application.outcomes import CANCEL_PENDING, CANCEL_PENDING_REASON, Accepted, Rejected
from domain.application.sweep import Swept
from domain.flow.state import Flow, active_tasks, cancel_pending
from domain.flow.status import FlowStatus


def cancel_flow(ask: CancelFlow, tools: Tools, terminal: Terminal) -> Exit:
    """Cancel a flow, and say what that came to."""
    swept = Swept()
    with tools.write_store(ask.config, ask.database) as flows:
        outcome = flows.cancel(ask.flow)
        if ask.give_up_children and isinstance(outcome, Accepted):
            swept = flows.give_up_children(ask.flow)
        flow = flows.load(ask.flow)
    match outcome:
        case Accepted():
            if flow is None:
                raise AssertionError("a flow that was cancelled is there")
            _accepted(flow, swept, ask, terminal)
            return Exit.DONE
        case Rejected():
            _refused(outcome, flow, ask, terminal)
            return Exit.FINDINGS
        case _:
            assert_never(outcome)


def _accepted(flow: Flow, swept: Swept, ask: CancelFlow, terminal: Terminal) -> None:
    is_pending = cancel_pending(flow)
    if ask.json:
        cancelled = flow.status is FlowStatus.CANCELLED
        why = {"code": CANCEL_PENDING, "reason": CANCEL_PENDING_REASON} if is_pending else {}
        counts = {"lost": swept.lost} if ask.give_up_children else {}
        terminal.dump({"found": True, "cancelled": cancelled, **counts, **why, **_shown(flow)})
    elif is_pending:
        active = f"active child tasks: {len(active_tasks(flow))}"
        terminal.say(f"The cancellation of flow {flow.flow_id} is pending; {active}.")
    else:
        lost = counted(swept.lost, "child task")
        given_up = f" Given up: {lost}." if ask.give_up_children else ""
        stands = f"is {flow.status}, at revision {flow.revision}"
        terminal.say(f"Flow {flow.flow_id} {stands}.{given_up}")


def _refused(refused: Rejected, flow: Flow | None, ask: CancelFlow, terminal: Terminal) -> None:
    if ask.json:
        why = {"code": refused.code, "reason": refused.reason}
        shown = {} if flow is None else _shown(flow)
        terminal.dump({"found": flow is not None, "cancelled": False, **why, **shown})
    if flow is None:
        terminal.complain(f"there is no flow {ask.flow}")
    else:
        terminal.complain(f"flow {ask.flow} is not cancelled: {refused.reason}")


def _shown(flow: Flow) -> Document:
    return {"flow": flow_document(flow), "tasks": task_documents(flow)}
