"""`taskflow flows sweep`: give up the children that report nothing."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from adapters.cli.command import ShardScope, StoreCommand
from adapters.cli.dependencies import Dependencies
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.help_text import WRITE_TROUBLE, HelpPage
from adapters.cli.options import json_flag, option
from adapters.cli.parser import number_within
from adapters.cli.terminal import Terminal
from adapters.presentation.printable import counted

_MOST_SECONDS: Final = 31_536_000

PAGE: Final = HelpPage(
    name="sweep",
    help="give up child tasks that report nothing any more",
    description="""\
Marks the active children of flows with a cancel intent as lost if they were
silent for too long, so that no cancellation stays pending for ever. A gateway
does this by itself every few seconds, and counts only the time in which it
listened. This is for a store whose gateway does not run: here silence is the
time on the clock of this machine since the last news, the time in which no
gateway ran included. Whoever runs it says that no child can have had more to
report. A child whose news is from the future, as a clock was ahead, is left
alone: see `flows cancel --give-up-children`. Only one process may write to a
store: stop the gateway first.""",
    examples="""\
  taskflow flows sweep --config gateway.json5
  taskflow flows sweep --database sqlite:///var/taskflow.db --lost-after 60""",
    codes=exit_codes(
        done="swept, even if there was nothing to give up",
        trouble=WRITE_TROUBLE,
    ),
)


@frozen(kw_only=True)
class SweepFlows(StoreCommand):
    """Mark stale children of flows with a cancel intent as lost."""

    page = PAGE
    scope = ShardScope.EACH

    lost_after: int | None = option(
        "SECONDS",
        "how long a child may be silent, instead of what FILE says (without one: 300)",
        read=number_within(0, _MOST_SECONDS),
    )
    json: bool = json_flag()

    def run(self, given: Dependencies, terminal: Terminal) -> Exit:
        """Mark them, and say how many there were."""
        with given.write_store(self.config, self.database) as flows:
            swept = flows.sweep(self.lost_after)
        if self.json:
            terminal.dump({"lost": swept.lost, "cancelled": swept.cancelled})
        elif not swept.lost:
            terminal.say("No child task was silent for too long.")
        else:
            lost, cancelled = counted(swept.lost, "child task"), counted(swept.cancelled, "flow")
            terminal.say(f"Marked {lost} as lost; {cancelled} became cancelled by that.")
        return Exit.DONE
