"""A flow's page: what it is or was, how it came to that, and what was refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import falcon
from attrs import frozen
from falcon import Request, Response

from adapters.pages.base_path import shard_address
from adapters.pages.dependencies import PageDependencies
from adapters.pages.flow_detail import WINDOW, flow_detail
from adapters.pages.flow_history import FlowHistory, read_flow_history
from adapters.pages.proofs import at_once, attempt_proof
from adapters.pages.rendering import flow_path, render_page
from adapters.pages.shard_choice import FlowSearch
from adapters.presentation.printable import shortened
from domain.flow.ids import FlowId
from domain.flow.values import BLANKS
from domain.history.as_of import parse_point, transition_at
from domain.history.transitions import Transition

MOST_REFUSED: Final = 20
"""Refusals that a flow's page shows, the newest ones."""

MOST_TASKS: Final = 100
"""Tasks that a flow's page shows, those linked last."""


@frozen
class FlowDetailPage:
    """`GET /flows/<id>`: a flow as it is, or `?at=` a version, a revision or a time."""

    given: PageDependencies
    others: Sequence[PageDependencies] = ()

    def on_get(self, req: Request, resp: Response, flow_id: FlowId) -> None:
        """Show it."""
        history = read_flow_history(self.given.audit_log, flow_id)
        if history is None:
            raise self._missing(flow_id)
        shown = _step(history, req.get_param("at"))
        last = max(1, len(history.transitions))
        first = req.get_param_as_int("from", min_value=1, max_value=last)
        resp.text = render_page("flow.html", self._values(history, shown, first))

    on_head = on_get

    def _missing(self, flow_id: FlowId) -> Exception:
        """Return the way to a flow that is in another store, or why there is none."""
        elsewhere = FlowSearch(self.others)
        if (name := elsewhere.find(flow_id)) is not None:
            return falcon.HTTPSeeOther(shard_address(name, flow_path(flow_id)))
        sentence = f"There is no flow {shortened(flow_id, 80)}"
        if elsewhere.unread:
            unread = ", ".join(elsewhere.unread)
            why = f" where it was looked for; shard {unread} cannot be read now."
            return falcon.HTTPServiceUnavailable(description=f"{sentence}{why}")
        return falcon.HTTPNotFound(description=f"{sentence}.")

    def _values(
        self, history: FlowHistory, shown: Transition | None, first: int | None
    ) -> dict[str, Any]:
        entry = None if shown is None else history.entries[shown.record.version - 1]
        return {
            "nav": "flows",
            "history": history,
            "view": None if shown is None else flow_detail(history, shown, first),
            "window": WINDOW,
            # PERF: a proof is made from the tiles, in milliseconds; else it is left to its page.
            "proof": None if entry is None else attempt_proof(self.given, entry, at_once),
            "entry": entry,
            "refused": self.given.refusals.of_flow(history.flow_id, limit=MOST_REFUSED),
            "most_tasks": MOST_TASKS,
            "most_refused": MOST_REFUSED,
            "unread": history.entries[len(history.transitions) :],
        }


def _step(history: FlowHistory, at: str | None) -> Transition | None:
    """Return the step that a page shows, the last one unless it is asked for another."""
    if not history.transitions or at is None or not at.strip(BLANKS):
        return history.transitions[-1] if history.transitions else None
    try:
        step = transition_at(history.transitions, parse_point(at.strip(BLANKS)))
    except ValueError as error:
        raise falcon.HTTPBadRequest(description=f"{error}.") from error
    if step is None:
        sentence = f"This flow was nothing at {shortened(at, 40)}: it has versions 1 to "
        raise falcon.HTTPNotFound(description=f"{sentence}{len(history.transitions)}.")
    return step
