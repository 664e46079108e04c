"""`taskflow audit configuration`: what changed in a gateway's configuration, and when."""

from __future__ import annotations

from typing import Final

from attrs import frozen
from rich.text import Text

from adapters.cli.command import ShardScope, StoreCommand
from adapters.cli.dependencies import Dependencies
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.help_text import STORE_TROUBLE, HelpPage
from adapters.cli.options import cursor_option, json_flag, limit_option
from adapters.cli.tables import REST, folded, list_end, table
from adapters.cli.terminal import Terminal
from adapters.presentation.documents import JsonDocument, cursor_document, document
from adapters.presentation.printable import to_the_millisecond
from domain.history.configuration import ConfigurationPage, FieldChange

MOST_CHANGES: Final = 1000

PAGE: Final = HelpPage(
    name="configuration",
    help="show what changed in the configuration, and when",
    description="""\
Shows the changes of a gateway's configuration, newest first: those of a
reload, and those that a start found since the last one. A secret is shown by
the id of its key and a digest that is slow to make and of this store only, so
that a rotation is seen and the secret is not. Variables of the environment,
and who changed a file, are not known. Safe beside a running gateway.""",
    examples="""\
  taskflow audit configuration --config gateway.json5
  taskflow audit configuration --database sqlite:///copy.db --limit 5 --json""",
    codes=exit_codes(done="shown, even if there is none", trouble=STORE_TROUBLE),
)


@frozen(kw_only=True)
class ShowConfigurationChanges(StoreCommand):
    """Show what changed in the configuration."""

    page = PAGE
    scope = ShardScope.FIRST

    limit: int = limit_option("changes", MOST_CHANGES)
    cursor: int | None = cursor_option()
    json: bool = json_flag()

    def run(self, given: Dependencies, terminal: Terminal) -> Exit:
        """Show a page of the changes."""
        with given.open_configurations(self.config, self.database) as log:
            page = log.page(limit=self.limit, before=self.cursor)
        if self.json:
            terminal.dump(_document(page))
        elif page.changes:
            _show(page, terminal)
        else:
            terminal.say("No changes of the configuration.")
        return Exit.DONE


def _document(page: ConfigurationPage) -> JsonDocument:
    changes = [
        {**document(change), "changes": [document(field) for field in change.changes]}
        for change in page.changes
    ]
    return {"changes": changes, **cursor_document(page.next_cursor)}


def _show(page: ConfigurationPage, terminal: Terminal) -> None:
    shown = table("Changes of the configuration", {"When, by": 26, "What": REST})
    for change in page.changes:
        shown.add_row(
            folded(to_the_millisecond(change.at), f"{change.cause}, pid {change.pid}"),
            folded(*map(_said, change.changes)),
        )
    terminal.show(shown, Text(list_end(len(page.changes), "change", page.next_cursor)))


def _said(change: FieldChange) -> str:
    if change.before is None:
        return f"added {change.field}: {change.after}"
    if change.after is None:
        return f"removed {change.field}: {change.before}"
    return f"changed {change.field}: {change.before} -> {change.after}"
