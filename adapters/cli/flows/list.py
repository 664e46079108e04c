"""`taskflow flows list`: flows, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from attrs import frozen
from rich.text import Text

from adapters.cli.command import ShardScope, StoreCommand
from adapters.cli.dependencies import CommandError, Dependencies, StoreShard
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.failing import fail
from adapters.cli.flows.merging import FlowsCursor, MergedList, PartOfList, merged, parse_cursor
from adapters.cli.help_text import STORE_TROUBLE, HelpPage
from adapters.cli.options import json_flag, limit_option, option
from adapters.cli.parser import one_of
from adapters.cli.sharding import ShardTerminal
from adapters.cli.tables import REST, lines, list_end, status_cell, table
from adapters.cli.terminal import Terminal
from adapters.presentation.documents import cursor_document, flow_document
from adapters.presentation.printable import to_the_second
from domain.application.ports import StoreUnavailable, itself
from domain.flow.ids import Owner
from domain.flow.state import Flow, cancel_pending
from domain.flow.status import FlowStatus

MOST_FLOWS: Final = 1000

PAGE: Final = HelpPage(
    name="list",
    help="list flows, newest first",
    description="""\
Lists flows of all owners, or of one, newest first. Safe beside a running
gateway: the store is opened read-only. A list that is cut ends with the cursor
for the next one; in JSON it is `nextCursor`.""",
    examples="""\
  taskflow flows list --config gateway.json5 --owner agent:main:main
  taskflow flows list --database sqlite:///var/taskflow.db --status blocked
  taskflow flows list --config gateway.json5 --limit 1000 --cursor 4711 --json""",
    codes=exit_codes(
        done="listed, even if there is none",
        trouble=f"{STORE_TROUBLE};\n     of several stores the others are listed",
    ),
)


@frozen(kw_only=True)
class ListFlows(StoreCommand):
    """List flows, newest first."""

    page = PAGE
    scope = ShardScope.ITSELF

    owner: Owner | None = option("KEY", "only flows of this session key")
    status: FlowStatus | None = option(
        "STATUS", f"only flows of one status: {', '.join(FlowStatus)}", read=one_of(FlowStatus)
    )
    limit: int = limit_option("flows", MOST_FLOWS)
    cursor: FlowsCursor = option(
        "CURSOR", "go on where an earlier list ended", read=parse_cursor, default={}
    )
    json: bool = json_flag()

    def run(self, given: Dependencies, terminal: Terminal) -> Exit:
        """List a page of flows, of those stores that can be read."""
        parts, unread, code = list[PartOfList](), list[str](), Exit.DONE
        for shard in self._shards(given):
            try:
                parts.append(self._page(given, shard))
            except (CommandError, StoreUnavailable) as error:
                if shard is None:
                    raise
                unread.append(shard.name)
                code = fail(error, ShardTerminal(terminal.out, terminal.err, shard.name))
        if parts:
            self._show(merged(parts, self.limit), unread, terminal)
        return code

    def _show(self, page: MergedList, unread: Sequence[str], terminal: Terminal) -> None:
        if self.json:
            shown = {"flows": [flow_document(flow) for flow in page.flows]}
            gone = {"unreadShards": unread} if unread else {}
            terminal.dump({**shown, **gone, **cursor_document(page.next_cursor)})
            return
        _report(page, terminal)
        if unread:
            terminal.say(f"Those of {', '.join(unread)} are not among them.")

    def _shards(self, given: Dependencies) -> Sequence[StoreShard | None]:
        """Return the shards of the configuration; None for the only store."""
        shards = () if self.config is None or self.database else given.shards(self.config)
        if len(shards) <= 1:
            return [None]
        unknown = set(self.cursor) - {shard.name for shard in shards}
        if self.cursor and unknown:
            raise CommandError("--cursor: it is not of a list of these stores")
        return shards

    def _page(self, given: Dependencies, shard: StoreShard | None) -> PartOfList:
        name = self.shard or "" if shard is None else shard.name
        before = self.cursor.get(name, self.cursor.get(""))
        database = self.database if shard is None else shard.url
        with given.read_store(self.config, database) as store:
            page = store.page(
                self.owner, limit=self.limit, before=before, status=self.status, show=itself
            )
            positions = [store.position_of(flow.owner, flow.flow_id) for flow in page.flows]
        return PartOfList(name, before, page, positions)


def _report(page: MergedList, terminal: Terminal) -> None:
    if not page.flows:
        terminal.say("No flows.")
        return
    shown = table("Flows", {"Flow, goal": REST, "Status": 16, "Updated, owner": 24})
    for flow in page.flows:
        shown.add_row(
            lines(flow.flow_id, flow.goal),
            status_cell(flow.status, *_progress(flow)),
            lines(to_the_second(flow.updated_at), flow.owner),
        )
    terminal.show(shown, Text(list_end(len(page.flows), "flow", page.next_cursor)))


def _progress(flow: Flow) -> tuple[str, ...]:
    revision = f"revision {flow.revision}"
    if cancel_pending(flow):
        return revision, "cancel requested"
    return (revision,)
