"""The first page: flows, newest first, and the form that finds them."""

from __future__ import annotations

from collections.abc import Sequence

import falcon
from attrs import frozen
from falcon import Request, Response

from adapters.pages.base_path import shard_address
from adapters.pages.dependencies import PageDependencies
from adapters.pages.query import FIELDS, FlowQuery, FormFields, Misread, form_values, read_query
from adapters.pages.rendering import flow_address, flow_path, render_page
from adapters.pages.search import FoundFlows, search
from adapters.pages.shard_choice import FlowSearch
from domain.flow.ids import FlowId
from domain.flow.status import FlowStatus
from domain.flow.values import BLANKS

_NOTHING = FoundFlows(flows=(), looked_at=0, next_cursor=None)


@frozen
class FlowsPage:
    """`GET /`: the flows that a form asks for."""

    given: PageDependencies
    others: Sequence[PageDependencies] = ()

    def on_get(self, req: Request, resp: Response) -> None:
        """Show them, or the way to the one flow whose id was looked for."""
        fields = {name: req.get_param(name) or "" for name in FIELDS}
        wanted = FlowId(fields["q"].strip(BLANKS))
        if wanted and self.given.audit_log.stream(wanted):
            raise falcon.HTTPSeeOther(flow_address(wanted))
        elsewhere = FlowSearch(self.others)
        if wanted and (name := elsewhere.find(wanted)) is not None:
            raise falcon.HTTPSeeOther(shard_address(name, flow_path(wanted)))
        query = read_query(fields)
        match query:
            case Misread(problems):
                resp.status = falcon.HTTP_400
                resp.text = _page(fields, problems, _NOTHING, searched=False)
            case FlowQuery():
                found = search(self.given.audit_log, query, self.given.seconds)
                resp.text = _page(
                    fields, {}, found, searched=query.needs_a_look, not_searched=elsewhere.unread
                )

    on_head = on_get


def _page(
    fields: FormFields,
    problems: FormFields,
    found: FoundFlows,
    *,
    searched: bool,
    not_searched: Sequence[str] = (),
) -> str:
    return render_page(
        "flows.html",
        {
            "nav": "flows",
            **form_values("/", fields, problems, found.next_cursor),
            "statuses": tuple(FlowStatus),
            "found": found,
            "searched": searched,
            "not_searched": not_searched,
        },
    )
