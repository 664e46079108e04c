"""`taskflow audit history`: each event of a flow, what it changed, and who caused it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from attrs import frozen
from rich.text import Text

from adapters.cli.audit.history_table import history_table
from adapters.cli.audit.timeline import FLOW_TROUBLE, POINTS, moment_text, read_history, step_of
from adapters.cli.command import ShardScope, StoreCommand
from adapters.cli.dependencies import Dependencies
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.flow_tables import flow_tables
from adapters.cli.help_text import HelpPage
from adapters.cli.options import flow_argument, json_flag, point_option
from adapters.cli.terminal import Terminal
from adapters.presentation.change_text import history_documents, place_document
from adapters.presentation.documents import flow_document, task_documents
from adapters.presentation.printable import counted
from domain.flow.ids import FlowId
from domain.history.as_of import Point
from domain.history.transitions import Transition

PAGE: Final = HelpPage(
    name="history",
    help="show each event of a flow, what it changed, and who caused it",
    description=f"""\
Shows all that happened to a flow, in order: each event's stream version, the
revision after it, when it happened, what changed field by field, by whom,
through which request, and what caused it. With --at it shows the flow as it
was at a point instead, computed from its first events alone.

{POINTS}""",
    examples="""\
  taskflow audit history 2f1d7b6e-5d6f-4b6f-8a43-0d6d2a9c1f00 \\
      --config gateway.json5
  taskflow audit history 2f1d7b6e-5d6f-4b6f-8a43-0d6d2a9c1f00 \\
      --database sqlite:///copy.db --at 2026-11-26T10:00:00Z

Long values are cut in the table, never in JSON. There `before` or `after` of
a change is missing where the field held nothing; a JSON null is null.""",
    codes=exit_codes(done="shown", trouble=FLOW_TROUBLE),
)


@frozen(kw_only=True)
class ShowHistory(StoreCommand):
    """Show the events of a flow, or the flow as it was."""

    page = PAGE
    scope = ShardScope.FLOW

    flow: FlowId = flow_argument()
    at: Point | None = point_option("show the flow as it was at POINT instead")
    json: bool = json_flag()

    def run(self, given: Dependencies, terminal: Terminal) -> Exit:
        """Show them, or it."""
        with given.open_audit_log(self.config, self.database) as audit_log:
            history = read_history(audit_log, self.flow)
        if self.at is None:
            self._show_events(history, terminal)
        else:
            self._show_flow(step_of(history, self.at), terminal)
        return Exit.DONE

    def _show_events(self, history: Sequence[Transition], terminal: Terminal) -> None:
        if self.json:
            terminal.dump({"flowId": self.flow, "events": history_documents(history)})
        else:
            terminal.show(history_table(history), Text(f"{counted(len(history), 'event')}."))

    def _show_flow(self, step: Transition, terminal: Terminal) -> None:
        if self.json:
            flow, tasks = flow_document(step.after), task_documents(step.after)
            terminal.dump({"asOf": place_document(step), "flow": flow, "tasks": tasks})
        else:
            then = f"As of {moment_text(step)}"
            terminal.show(*flow_tables(step.after), Text(then))
