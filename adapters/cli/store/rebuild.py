"""`taskflow store rebuild`: make what follows from the events again."""

from __future__ import annotations

from adapters.cli.asks import RebuildStore
from adapters.cli.dependencies import Dependencies
from adapters.cli.exits import Exit
from adapters.cli.progress import progress_on
from adapters.cli.terminal import Terminal
from adapters.presentation.documents import camel_case
from adapters.presentation.printable import counted
from domain.replay.findings import RebuiltRows


def rebuild_store(ask: RebuildStore, tools: Dependencies, terminal: Terminal) -> Exit:
    """Mend the derived rows of a store, and say what had to change."""
    with (
        tools.write_store(ask.config, ask.database) as flows,
        progress_on(terminal.err, "rebuilding") as progress,
    ):
        rebuilt = flows.rebuild(progress)
    if ask.json:
        terminal.dump({"flows": rebuilt.flows, "changed": camel_case(rebuilt.changed)})
    else:
        _tell(rebuilt, terminal)
    return Exit.DONE


def _tell(rebuilt: RebuiltRows, terminal: Terminal) -> None:
    folded = f"Folded {counted(rebuilt.flows, 'flow')} from the events"
    if not any(rebuilt.changed.values()):
        terminal.say(f"{folded}: nothing had to change.")
        return
    terminal.say(f"{folded}, and mended:")
    for name, count in rebuilt.changed.items():
        terminal.say(f"  {name}: {counted(count, 'row')}")
