"""`taskflow audit refusals`: what callers asked for and did not get."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from adapters.cli.arguments import (
    Commands,
    json_flag,
    page_options,
    store_options,
    text_option,
)
from adapters.cli.audit.ask import AuditAsk
from adapters.cli.audit.refusal_tables import Found, tell
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.manual import STORE_TROUBLE, Page
from adapters.cli.parser import moment
from adapters.cli.terminal import Terminal
from adapters.cli.tools import Tools
from adapters.presentation.documents import Document, document
from adapters.presentation.http_status import http_status
from domain.flow.ids import FlowId, KeyId, RouteId
from domain.flow.values import Timestamp
from domain.history.refused_requests import KeptCall, Wanted, adds_up

MOST_CALLS: Final = 1000

PAGE: Final = Page(
    help="show what callers were refused, and how often",
    description="""\
Shows the calls that a gateway refused to callers with a valid key (404, 409
and 422), newest first, and the totals by route, key and code with how many of
them are still kept; each total counts whole days. Callers that were not let in
(401 and 429) are counted only. Totals know no flows: with --flow there are
none. Safe beside a running gateway, which is behind by less than a second.""",
    epilog="""\
examples:
  taskflow audit refusals --config gateway.json5
  taskflow audit refusals --config gateway.json5 --route zapier \\
      --code revision_conflict --since 2026-11-26 --until 2026-11-27T12:00:00Z
  taskflow audit refusals --config gateway.json5 --json \\
      --flow 2f1d7b6e-5d6f-4b6f-8a43-0d6d2a9c1f00

"""
    + exit_codes(
        done="shown, even if there is none",
        findings="a total is not the sum of what is kept and what was dropped",
        trouble=STORE_TROUBLE,
    ),
)


@frozen(kw_only=True)
class ShowRefusals(AuditAsk):
    """Show what callers were refused."""

    route: RouteId | None
    key: KeyId | None
    code: str | None
    flow: FlowId | None
    since: Timestamp | None
    until: Timestamp | None
    limit: int
    cursor: int | None
    json: bool

    def do(self, tools: Tools, terminal: Terminal) -> Exit:
        """Show a page of them, and the totals."""
        found = self._look(tools)
        if self.json:
            terminal.dump(_document(found))
        else:
            tell(found, terminal)
        return Exit.DONE if all(map(adds_up, found.totals or ())) else Exit.FINDINGS

    def _look(self, tools: Tools) -> Found:
        wanted = Wanted(
            route_id=self.route,
            key_id=self.key,
            code=self.code,
            flow_id=self.flow,
            since=self.since,
            until=self.until,
        )
        with tools.open_refusals(self.config, self.database) as refusals:
            page = refusals.page(wanted, limit=self.limit, before=self.cursor)
            if self.flow is not None:
                return Found(page=page)
            # Those who were not let in have no key.
            strangers = () if self.key is not None else refusals.turned_away(wanted)
            return Found(page=page, totals=refusals.totals(wanted), turned_away=strangers)


def _document(found: Found) -> Document:
    calls = [_call(kept) for kept in found.page.calls]
    rest = found.page.next_cursor
    shown: Document = {"refusals": calls}
    if rest is not None:
        shown["nextCursor"] = str(rest)
    if found.totals is not None:
        shown["totals"] = [document(total) for total in found.totals]
        shown["turnedAway"] = [document(total) for total in found.turned_away]
    return shown


def _call(kept: KeptCall) -> Document:
    asked = document(kept.call)
    first = {name: asked.pop(name) for name in ("at", "routeId", "keyId", "action", "code")}
    return {"number": kept.number, **first, "status": http_status(kept.call.code), **asked}


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_ask("refusals", PAGE, ShowRefusals)
    store_options(parser)
    text_option(parser, "--route", "ID", "only refusals of this route")
    text_option(
        parser, "--key", "ID", "only refusals of this key, which a plain secret calls default"
    )
    text_option(parser, "--code", "CODE", "only refusals for this reason, such as terminal")
    text_option(
        parser, "--flow", "FLOW", "only refusals that named this flow, if there is one or not"
    )
    parser.add_argument("--since", metavar="TIME", type=moment, help="only refusals from TIME on")
    parser.add_argument("--until", metavar="TIME", type=moment, help="only refusals before TIME")
    page_options(parser, "refused calls", MOST_CALLS)
    json_flag(parser)
