"""Several stores behind one address: each page is of one of them, which its path names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import falcon
from attrs import field, frozen
from falcon import Request, Response

from adapters.pages.base_path import ShardChoice, based, choose_shard
from adapters.pages.dependencies import PageDependencies
from adapters.presentation.printable import shortened
from domain.application.ports import StoreUnavailable
from domain.flow.ids import FlowId


@frozen
class PageOfShard:
    """A page of each store; one that is the only store has no name, and no path of its own."""

    pages: Mapping[str, Any]

    def on_get(self, req: Request, resp: Response, *, shard: str = "", **given: Any) -> None:  # noqa: ANN401 - as Falcon read them
        """Show that of the store that the path names."""
        page = self.pages.get(shard)
        if page is None:
            raise falcon.HTTPNotFound(description=f"There is no shard {shortened(shard, 40)}.")
        if shard:
            choose_shard(ShardChoice(shard, tuple(self.pages)))
        page.on_get(req, resp, **given)

    on_head = on_get


@frozen
class ToFirstShard:
    """A page's address without a store's name leads to that of the first store."""

    address: str

    def on_get(self, _: Request, __: Response) -> None:
        """Lead there."""
        raise falcon.HTTPSeeOther(based(self.address))

    on_head = on_get


@frozen
class FlowSearch:
    """Looks for a flow in the other stores: who asks for one need not know where it is."""

    others: Sequence[PageDependencies]
    unread: list[str] = field(factory=list)

    def find(self, flow_id: FlowId) -> str | None:
        """Return the name of the store that has a flow; those that cannot be read are `unread`."""
        for other in self.others:
            unreadable: tuple[type[Exception], ...] = (StoreUnavailable, *other.damages)
            try:
                if other.audit_log.stream(flow_id):
                    return other.shard
            except unreadable:
                self.unread.append(other.shard)
        return None
