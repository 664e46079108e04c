"""`taskflow audit history`: each event of a flow, what it changed, and who caused it."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from adapters.cli.arguments import Commands, flow_argument, json_flag, store_options
from adapters.cli.audit.ask import AuditAsk
from adapters.cli.documents import document
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.manual import STORE_TROUBLE, Page
from adapters.cli.terminal import Terminal
from adapters.cli.tools import Tools

PAGE: Final = Page(
    help="show each event of a flow, what it changed, and who caused it",
    description="Shows all that happened to a flow, in order.",
    epilog="""\
examples:
  taskflow audit history 2f1d7b6e-5d6f-4b6f-8a43-0d6d2a9c1f00 \\
      --config gateway.json5

"""
    + exit_codes(done="shown", findings="not used", trouble=STORE_TROUBLE),
)


@frozen(kw_only=True)
class History(AuditAsk):
    """Show the events of a flow."""

    flow: str
    json: bool

    def do(self, tools: Tools, terminal: Terminal) -> Exit:
        """Show them."""
        with tools.open_evidence(self.config, self.database) as evidence:
            records = [evidence.read(entry) for entry in evidence.stream(self.flow)]
        terminal.dump({"events": [document(record) for record in records]})
        return Exit.DONE


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_ask("history", PAGE, History)
    flow_argument(parser)
    store_options(parser)
    json_flag(parser)
