"""`taskflow audit refusals`: what callers asked for and did not get."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from adapters.cli.audit.refusal_tables import FoundRefusals, show_refusals
from adapters.cli.command import ShardScope, StoreCommand
from adapters.cli.dependencies import Dependencies
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.help_text import STORE_TROUBLE, HelpPage
from adapters.cli.options import cursor_option, json_flag, limit_option, option, time_option
from adapters.cli.terminal import Terminal
from adapters.presentation.answer_codes import http_status
from adapters.presentation.documents import JsonDocument, cursor_document, document
from domain.flow.ids import FlowId, KeyId, RouteId
from domain.flow.values import Timestamp
from domain.history.refused_requests import KeptCall, Wanted, adds_up

MOST_CALLS: Final = 1000

PAGE: Final = HelpPage(
    name="refusals",
    help="show what callers were refused, and how often",
    description="""\
Shows the calls that a gateway refused to callers with a valid key (403, 404,
409 and 422), newest first, and the totals by route, key and code with how many
of them are still kept; each total counts whole days. Callers that were not let
in (401 and 429) are counted only. Totals know no flows: with --flow there are
none. Safe beside a running gateway, which is behind by less than a second.""",
    examples="""\
  taskflow audit refusals --config gateway.json5
  taskflow audit refusals --config gateway.json5 --route zapier \\
      --code revision_conflict --since 2026-11-26 --until 2026-11-27T12:00:00Z
  taskflow audit refusals --config gateway.json5 --json \\
      --flow 2f1d7b6e-5d6f-4b6f-8a43-0d6d2a9c1f00""",
    codes=exit_codes(
        done="shown, even if there is none",
        findings="a total is not the sum of what is kept and what was dropped",
        trouble=STORE_TROUBLE,
    ),
)


@frozen(kw_only=True)
class ShowRefusals(StoreCommand):
    """Show what callers were refused."""

    page = PAGE
    scope = ShardScope.FIRST

    route: RouteId | None = option("ID", "only refusals of this route")
    key: KeyId | None = option(
        "ID", "only refusals of this key, which a plain secret calls default"
    )
    code: str | None = option("CODE", "only refusals for this reason, such as terminal")
    flow: FlowId | None = option(
        "FLOW", "only refusals that named this flow, if there is one or not"
    )
    since: Timestamp | None = time_option("only refusals from TIME on")
    until: Timestamp | None = time_option("only refusals before TIME")
    limit: int = limit_option("refused calls", MOST_CALLS)
    cursor: int | None = cursor_option()
    json: bool = json_flag()

    def run(self, given: Dependencies, terminal: Terminal) -> Exit:
        """Show a page of them, and the totals."""
        found = self._look(given)
        if self.json:
            terminal.dump(_document(found))
        else:
            show_refusals(found, terminal)
        return Exit.DONE if all(map(adds_up, found.totals or ())) else Exit.FINDINGS

    def _look(self, given: Dependencies) -> FoundRefusals:
        wanted = Wanted(
            route_id=self.route,
            key_id=self.key,
            code=self.code,
            flow_id=self.flow,
            since=self.since,
            until=self.until,
        )
        with given.open_refusals(self.config, self.database) as refusals:
            page = refusals.page(wanted, limit=self.limit, before=self.cursor)
            if self.flow is not None:
                return FoundRefusals(page=page)
            # Those who were not let in have no key.
            strangers = () if self.key is not None else refusals.turned_away(wanted)
            return FoundRefusals(page=page, totals=refusals.totals(wanted), turned_away=strangers)


def _document(found: FoundRefusals) -> JsonDocument:
    calls = [_call(kept) for kept in found.page.calls]
    shown: JsonDocument = {"refusals": calls, **cursor_document(found.page.next_cursor)}
    if found.totals is not None:
        shown["totals"] = [document(total) for total in found.totals]
        shown["turnedAway"] = [document(total) for total in found.turned_away]
    return shown


def _call(kept: KeptCall) -> JsonDocument:
    asked = document(kept.call)
    first = {name: asked.pop(name) for name in ("at", "routeId", "keyId", "action", "code")}
    return {"number": kept.number, **first, "status": http_status(kept.call.code), **asked}
