"""`taskflow flows show`: all that is known of one flow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from attrs import frozen

from adapters.cli.audit.history_table import history_table
from adapters.cli.audit.timeline import read_history
from adapters.cli.command import ShardScope, StoreCommand
from adapters.cli.dependencies import Dependencies, ReadableFlows
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.flow_tables import flow_tables
from adapters.cli.help_text import STORE_TROUBLE, HelpPage
from adapters.cli.options import flag, flow_argument, json_flag, option
from adapters.cli.parser import positive_number
from adapters.cli.terminal import Terminal
from adapters.presentation.change_text import history_documents
from adapters.presentation.documents import flow_document, task_documents
from domain.flow.ids import FlowId
from domain.flow.state import Flow
from domain.history.transitions import Transition

PAGE: Final = HelpPage(
    name="show",
    help="show one flow with its tasks, and its history",
    description="""\
Shows all that is known of a flow and its child tasks, its owner included. Safe
beside a running gateway: the store is opened read-only. With --history also
what `taskflow audit history` shows of it.""",
    examples="""\
  taskflow flows show 2f1d7b6e-5d6f-4b6f-8a43-0d6d2a9c1f00 \\
      --config gateway.json5 --history
  taskflow flows show 2f1d7b6e-5d6f-4b6f-8a43-0d6d2a9c1f00 \\
      --config gateway.json5 --version 3 --json""",
    codes=exit_codes(
        done="shown",
        findings="there is no such flow, or it has no such version",
        trouble=STORE_TROUBLE,
    ),
)


@frozen(kw_only=True)
class ShowFlow(StoreCommand):
    """Show one flow, as it is or as of a version."""

    page = PAGE
    scope = ShardScope.FLOW

    flow: FlowId = flow_argument()
    history: bool = flag("show also what `taskflow audit history` shows")
    version: int | None = option("N", "show it as it was after its Nth event", read=positive_number)
    json: bool = json_flag()

    def run(self, given: Dependencies, terminal: Terminal) -> Exit:
        """Show a flow and its tasks, and its history if that is asked for."""
        with given.read_store(self.config, self.database) as flows:
            flow = flows.load(self.flow, self.version)
            if flow is None:
                return self._miss(flows, terminal)
        history = self._history(given, flow) if self.history else ()
        if self.json:
            shown = {"flow": flow_document(flow), "tasks": task_documents(flow)}
            events = {"history": history_documents(history)} if self.history else {}
            terminal.dump({**shown, **events})
        else:
            terminal.show(*flow_tables(flow), *([history_table(history)] if history else ()))
        return Exit.DONE

    def _history(self, given: Dependencies, flow: Flow) -> Sequence[Transition]:
        with given.open_audit_log(self.config, self.database) as audit_log:
            return read_history(audit_log, flow.flow_id)[: flow.version]

    def _miss(self, flows: ReadableFlows, terminal: Terminal) -> Exit:
        if self.json:
            terminal.dump({"flow": None, "tasks": []})
        current = None if self.version is None else flows.load(self.flow)
        if current is None:
            terminal.complain(f"there is no flow {self.flow}")
        else:
            newest = f"its newest is version {current.version}"
            terminal.complain(f"flow {self.flow} has no version {self.version}; {newest}")
        return Exit.FINDINGS
