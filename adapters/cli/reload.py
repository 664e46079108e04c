"""`taskflow reload`: have a running gateway read its settings and secrets again."""

from __future__ import annotations

from adapters.cli.asks import Reload
from adapters.cli.dependencies import Dependencies
from adapters.cli.exits import Exit
from adapters.cli.terminal import Terminal


def reload(ask: Reload, tools: Dependencies, terminal: Terminal) -> Exit:
    """Ask the gateway, and say what it made of it."""
    reloaded = tools.reload(ask.config, ask.database)
    if reloaded.accepted:
        terminal.say(f"Reloaded by pid {reloaded.pid}: {reloaded.sentence}.")
        return Exit.DONE
    terminal.complain(f"refused by pid {reloaded.pid}, nothing has changed: {reloaded.sentence}")
    return Exit.FINDINGS
