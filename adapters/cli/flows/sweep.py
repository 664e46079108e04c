"""`taskflow flows sweep`: give up the children that nobody hears of."""

from __future__ import annotations

from adapters.cli.asks import SweepFlows
from adapters.cli.dependencies import Dependencies
from adapters.cli.exits import Exit
from adapters.cli.terminal import Terminal
from adapters.presentation.printable import counted


def sweep_flows(ask: SweepFlows, tools: Dependencies, terminal: Terminal) -> Exit:
    """Mark silent children of flows with a cancel intent as lost, and say how many there were."""
    with tools.write_store(ask.config, ask.database) as flows:
        swept = flows.sweep(ask.lost_after)
    if ask.json:
        terminal.dump({"lost": swept.lost, "cancelled": swept.cancelled})
    elif not swept.lost:
        terminal.say("No child task was silent for too long.")
    else:
        lost, cancelled = counted(swept.lost, "child task"), counted(swept.cancelled, "flow")
        terminal.say(f"Marked {lost} as lost; {cancelled} became cancelled by that.")
    return Exit.DONE
