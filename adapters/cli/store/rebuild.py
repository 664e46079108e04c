"""`taskflow store rebuild`: make what follows from the events again."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from adapters.cli.command import ShardScope, StoreCommand
from adapters.cli.dependencies import Dependencies
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.help_text import WRITE_TROUBLE, HelpPage
from adapters.cli.options import json_flag
from adapters.cli.progress import progress_on
from adapters.cli.terminal import Terminal
from adapters.presentation.documents import camel_case
from adapters.presentation.printable import counted
from domain.replay.findings import RebuiltRows

PAGE: Final = HelpPage(
    name="rebuild",
    help="make the index and the snapshots again from the events",
    description="""\
Folds every flow again from its events and corrects each derived row that
differs: snapshots, the owners' index, request keys. The events are only read.
All is one transaction; interrupted, it changes nothing. Only one process may
write to a store: stop the gateway first. A healthy store has nothing
to correct.""",
    examples="""\
  taskflow store rebuild --config gateway.json5
  taskflow store rebuild --database sqlite:///var/taskflow.db --json""",
    codes=exit_codes(
        done="all rows agree with the events now; says what had to change",
        trouble=WRITE_TROUBLE,
    ),
)


@frozen(kw_only=True)
class RebuildStore(StoreCommand):
    """Derive the rows of a store again from its events."""

    page = PAGE
    scope = ShardScope.EACH

    json: bool = json_flag()

    def run(self, given: Dependencies, terminal: Terminal) -> Exit:
        """Correct the derived rows of a store, and say what had to change."""
        with (
            given.write_store(self.config, self.database) as flows,
            progress_on(terminal.err, "rebuilding") as progress,
        ):
            rebuilt = flows.rebuild(progress)
        if self.json:
            terminal.dump({"flows": rebuilt.flows, "changed": camel_case(rebuilt.changed)})
        else:
            _report(rebuilt, terminal)
        return Exit.DONE


def _report(rebuilt: RebuiltRows, terminal: Terminal) -> None:
    folded = f"Folded {counted(rebuilt.flows, 'flow')} from the events"
    if not any(rebuilt.changed.values()):
        terminal.say(f"{folded}: nothing had to change.")
        return
    terminal.say(f"{folded}, and corrected:")
    for name, count in rebuilt.changed.items():
        terminal.say(f"  {name}: {counted(count, 'row')}")
