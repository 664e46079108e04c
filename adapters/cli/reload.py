"""`taskflow reload`: have a running gateway read its settings and secrets again."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from adapters.cli.command import ShardScope, StoreCommand
from adapters.cli.dependencies import Dependencies
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.help_text import HelpPage
from adapters.cli.terminal import Terminal

PAGE: Final = HelpPage(
    name="reload",
    help="have a running gateway read its settings and secrets again",
    description="""\
Sends SIGHUP to the gateway that writes to a store, and waits for the outcome.
Routes, keys, limits, trusted proxies and the like are swapped as one; if
anything is wrong, the running ones stay. No request is cut or turned away.
Files and commands with secrets are read again; variables of the environment
are those that the gateway was started with. A change of the store or of
taskflow.server needs a restart, and is named.""",
    examples="""\
  taskflow reload --config gateway.json5
  taskflow reload --database sqlite:////srv/flows.db""",
    codes=exit_codes(
        done="the new settings are in force",
        findings="refused: the running settings stay, and standard error says why",
        trouble="no gateway runs, or it does not answer; the file cannot be read",
    ),
)


@frozen(kw_only=True)
class ReloadGateway(StoreCommand):
    """Have a running gateway read its settings again."""

    page = PAGE
    scope = ShardScope.FIRST

    def run(self, given: Dependencies, terminal: Terminal) -> Exit:
        """Ask the gateway, and say what it made of it."""
        reloaded = given.reload(self.config, self.database)
        if reloaded.accepted:
            terminal.say(f"Reloaded by pid {reloaded.pid}: {reloaded.sentence}.")
            return Exit.DONE
        terminal.complain(
            f"refused by pid {reloaded.pid}, nothing has changed: {reloaded.sentence}"
        )
        return Exit.FINDINGS
