"""`taskflow store copy`: a store copied to a database of either kind, event for event."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from adapters.cli.command import CliCommand
from adapters.cli.dependencies import Dependencies, StoreCopied
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.help_text import HelpPage
from adapters.cli.options import json_flag, option
from adapters.cli.progress import progress_on
from adapters.cli.terminal import Terminal
from adapters.presentation.documents import camel_case
from adapters.presentation.printable import counted

PAGE: Final = HelpPage(
    name="copy",
    help="copy a store from SQLite to PostgreSQL, or back",
    description="""\
Copies a store, as it is at one moment, into a new file or an empty database
(whose tables it makes): every event byte for byte at its position, so that
checkpoints go on verifying; request keys, refusals and the configuration's
history. What follows from the events is made again from them, and then all is
compared. A gateway may go on writing to the store; what it writes later is not
copied, so stop it before you move.

The copy is a store when it is whole, and not before. Stopped or failed, run the
same command again: it goes on where it was. Checkpoints and the signing key are
files of their own, and serve both stores.""",
    examples="""\
  taskflow store copy --from sqlite:///var/taskflow.db \\
      --to postgresql://taskflow@db.internal/taskflow
  taskflow store copy --from postgresql://taskflow@db.internal/taskflow \\
      --to sqlite:///var/moved.db --json""",
    codes=exit_codes(
        done="copied, and compared with its source",
        findings="copied; but the source has rows that do not follow from its events",
        trouble="one of them cannot be used, or --to is neither empty nor a copy of\n"
        "     this store that was begun",
    ),
)


@frozen(kw_only=True)
class CopyStore(CliCommand):
    """Copy a store into another database."""

    page = PAGE

    source: str = option("URL", "the store to copy", name="--from", required=True)
    target: str = option("URL", "where the copy is made", name="--to", required=True)
    json: bool = json_flag()

    def run(self, given: Dependencies, terminal: Terminal) -> Exit:
        """Copy it, and say what was copied."""
        with progress_on(terminal.err, "copying") as progress:
            copied = given.copy_store(self.source, self.target, progress)
        if self.json:
            terminal.dump(
                {
                    "events": copied.events,
                    "resumedAfter": copied.resumed_after,
                    "flows": copied.flows,
                    "differing": camel_case(copied.differing),
                }
            )
        else:
            self._report(copied, terminal)
        return Exit.FINDINGS if copied.differing else Exit.DONE

    def _report(self, copied: StoreCopied, terminal: Terminal) -> None:
        what = f"{counted(copied.events, 'event')} of {counted(copied.flows, 'flow')}"
        went_on = f", going on after event {copied.resumed_after:,}" if copied.resumed_after else ""
        terminal.say(f"Copied {what}{went_on}; each is the same in both stores.")
        for table, rows in copied.differing.items():
            terminal.say(
                f"  {table}: {counted(rows, 'row')} of the source do not follow from its events;"
                " those of the copy do"
            )
