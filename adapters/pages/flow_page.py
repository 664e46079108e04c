"""A flow's page: what it is or was, how it came to that, and what was refused."""

from __future__ import annotations

from typing import Any, Final

import falcon
from attrs import frozen
from falcon import Request, Response

from adapters.pages.collaborators import Collaborators
from adapters.pages.flow_view import WINDOW, flow_view
from adapters.pages.headers import HTML
from adapters.pages.proofs import Proving, at_once, proven
from adapters.pages.rendering import render
from adapters.pages.story import Story, read_story
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
class FlowPage:
    """`GET /flows/<id>`: a flow as it is, or `?at=` a version, a revision or a time."""

    given: Collaborators

    def on_get(self, req: Request, resp: Response, flow_id: FlowId) -> None:
        """Show it."""
        story = read_story(self.given.evidence, flow_id)
        if story is None:
            raise falcon.HTTPNotFound(description=f"There is no flow {shortened(flow_id, 80)}.")
        shown = _step(story, req.get_param("at"))
        first = req.get_param_as_int("from", min_value=1, max_value=max(1, len(story.steps)))
        resp.content_type = HTML
        resp.text = render("flow.html", self._values(story, shown, first))

    on_head = on_get

    def _values(self, story: Story, shown: Transition | None, first: int | None) -> dict[str, Any]:
        return {
            "nav": "flows",
            "story": story,
            "view": None if shown is None else flow_view(story, shown, first),
            "window": WINDOW,
            "proof": None if shown is None else self._proof(story, shown),
            "entry": None if shown is None else story.entries[shown.record.version - 1],
            "refused": self.given.refusals.of_flow(story.flow_id, limit=MOST_REFUSED),
            "most_tasks": MOST_TASKS,
            "most_refused": MOST_REFUSED,
            "unread": story.entries[len(story.steps) :],
        }

    def _proof(self, story: Story, shown: Transition) -> Proving:
        # PERF: made from the tiles, it takes milliseconds; without tiles it is left to its page.
        return proven(self.given, story.entries[shown.record.version - 1], at_once)


def _step(story: Story, at: str | None) -> Transition | None:
    """Return the step that a page shows, the last one unless it is asked for another."""
    if not story.steps or at is None or not at.strip(BLANKS):
        return story.steps[-1] if story.steps else None
    try:
        step = transition_at(story.steps, parse_point(at.strip(BLANKS)))
    except ValueError as error:
        raise falcon.HTTPBadRequest(description=f"{error}.") from error
    if step is None:
        sentence = f"This flow was nothing at {shortened(at, 40)}: it has versions 1 to "
        raise falcon.HTTPNotFound(description=f"{sentence}{len(story.steps)}.")
    return step
