"""`taskflow store migrate`: make or upgrade the tables of a store on PostgreSQL."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from adapters.cli.command import ShardScope, StoreCommand
from adapters.cli.dependencies import Dependencies
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.help_text import HelpPage
from adapters.cli.options import json_flag
from adapters.cli.terminal import Terminal

PAGE: Final = HelpPage(
    name="migrate",
    help="make or upgrade the tables of a store on PostgreSQL",
    description="""\
Makes the tables of a store in a database of PostgreSQL, or brings those of an
older release to the present ones, in one transaction. What is there stays. The
role that it connects as gets the settings that a gateway needs, in this
database: so run it as the role of the gateways, which owns the tables.

A gateway makes no tables: it refuses to start until this was run. A store in a
file of SQLite is upgraded when it is opened.""",
    examples="""\
  taskflow store migrate --config gateway.json5
  taskflow store migrate --database postgresql://taskflow@db.internal/taskflow""",
    codes=exit_codes(
        done="the tables are those of this release now",
        trouble="the database cannot be used, or holds a store of a newer release",
    ),
)


@frozen(kw_only=True)
class MigrateStore(StoreCommand):
    """Make or upgrade the tables of a store."""

    page = PAGE
    scope = ShardScope.EACH

    json: bool = json_flag()

    def run(self, given: Dependencies, terminal: Terminal) -> Exit:
        """Migrate a store, and say from which version to which."""
        before, after = given.migrate(self.config, self.database)
        if self.json:
            terminal.dump({"before": before, "after": after})
        elif before == after:
            terminal.say(f"The store is of version {after} already: nothing had to change.")
        elif before == 0:
            terminal.say(f"Made a store of version {after}.")
        else:
            terminal.say(f"Upgraded the store from version {before} to {after}.")
        return Exit.DONE
