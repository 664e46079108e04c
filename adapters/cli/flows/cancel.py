"""`taskflow flows cancel`: end a flow in the operator's name."""

from __future__ import annotations

from typing import Final, assert_never

from attrs import frozen

from adapters.cli.command import ShardScope, StoreCommand
from adapters.cli.dependencies import Dependencies
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.help_text import WRITE_TROUBLE, HelpPage
from adapters.cli.options import flag, flow_argument, json_flag
from adapters.cli.terminal import Terminal
from adapters.presentation.documents import JsonDocument, flow_document, task_documents
from adapters.presentation.printable import counted
from domain.application.outcomes import CANCEL_PENDING, CANCEL_PENDING_REASON, Accepted, Rejected
from domain.application.sweep import Swept
from domain.flow.ids import FlowId
from domain.flow.state import Flow, active_tasks, cancel_pending
from domain.flow.status import FlowStatus

PAGE: Final = HelpPage(
    name="cancel",
    help="cancel a flow, now or when its last child has ended",
    description="""\
Cancels a flow of whichever owner, recorded as done by an operator. While
children of it are active the cancellation stays pending, and takes effect with
the end of the last one. With --give-up-children they are marked as lost, in
the operator's name and however recent their news, so that it takes effect now.
Only one process may write to a store: stop the gateway first, or let a caller
send `cancel_flow`.""",
    examples="""\
  taskflow flows cancel 2f1d7b6e-5d6f-4b6f-8a43-0d6d2a9c1f00 \\
      --config gateway.json5
  taskflow flows cancel 2f1d7b6e-5d6f-4b6f-8a43-0d6d2a9c1f00 \\
      --config gateway.json5 --give-up-children""",
    codes=exit_codes(
        done="cancelled, or pending because children are active",
        findings="refused: there is no such flow, or it has already ended",
        trouble=WRITE_TROUBLE,
    ),
)


@frozen(kw_only=True)
class CancelAsOperator(StoreCommand):
    """Cancel one flow, in the operator's name."""

    page = PAGE
    scope = ShardScope.FLOW

    flow: FlowId = flow_argument()
    give_up_children: bool = flag("mark its active child tasks as lost, and so cancel it now")
    json: bool = json_flag()

    def run(self, given: Dependencies, terminal: Terminal) -> Exit:
        """Cancel a flow, and say what that came to."""
        swept = Swept()
        with given.write_store(self.config, self.database) as flows:
            outcome = flows.cancel(self.flow)
            if self.give_up_children and isinstance(outcome, Accepted):
                swept = flows.give_up_children(self.flow)
            flow = flows.load(self.flow)
        match outcome:
            case Accepted():
                if flow is None:
                    raise AssertionError("a flow that was cancelled is there")
                self._accepted(flow, swept, terminal)
                return Exit.DONE
            case Rejected():
                self._refused(outcome, flow, terminal)
                return Exit.FINDINGS
            case _:
                assert_never(outcome)

    def _accepted(self, flow: Flow, swept: Swept, terminal: Terminal) -> None:
        is_pending = cancel_pending(flow)
        if self.json:
            cancelled = flow.status is FlowStatus.CANCELLED
            why = {"code": CANCEL_PENDING, "reason": CANCEL_PENDING_REASON} if is_pending else {}
            counts = {"lost": swept.lost} if self.give_up_children else {}
            terminal.dump({"found": True, "cancelled": cancelled, **counts, **why, **_shown(flow)})
        elif is_pending:
            active = f"active child tasks: {len(active_tasks(flow))}"
            terminal.say(f"The cancellation of flow {flow.flow_id} is pending; {active}.")
        else:
            lost = counted(swept.lost, "child task")
            given_up = f" Given up: {lost}." if self.give_up_children else ""
            stands = f"is {flow.status}, at revision {flow.revision}"
            terminal.say(f"Flow {flow.flow_id} {stands}.{given_up}")

    def _refused(self, refused: Rejected, flow: Flow | None, terminal: Terminal) -> None:
        if self.json:
            why = {"code": refused.code, "reason": refused.reason}
            shown = {} if flow is None else _shown(flow)
            terminal.dump({"found": flow is not None, "cancelled": False, **why, **shown})
        if flow is None:
            terminal.complain(f"there is no flow {self.flow}")
        else:
            terminal.complain(f"flow {self.flow} is not cancelled: {refused.reason}")


def _shown(flow: Flow) -> JsonDocument:
    return {"flow": flow_document(flow), "tasks": task_documents(flow)}
