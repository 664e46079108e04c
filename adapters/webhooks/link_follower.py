"""Following a resume link: from the request that was let in with it to the answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from attrs import evolve, frozen

from adapters.webhooks import resume_links
from adapters.webhooks.permits import LinkPermit
from adapters.webhooks.request_context import LogFault
from adapters.webhooks.responses import Response
from adapters.webhooks.steps import CommandResult, CommandStep, ReadStep, Step, Submit, do_now
from domain.application.ports import StoreBusy, StoreUnavailable
from domain.application.sessions import LinkTarget
from domain.flow.commands import FollowLink

FindLink: TypeAlias = Callable[[str], LinkTarget | None]
"""Finds by its hash what a resume link is for."""


@frozen
class LinkFollower:
    """Has the flow of a link go on, whoever it is that has the link."""

    _find_link: FindLink
    _submit: Submit
    _log_fault: LogFault

    def follow(self, permit: LinkPermit, body: bytes) -> Response | Step:
        """Return the answer, or what is left to do for it."""
        if not resume_links.is_empty(body):
            return resume_links.BODY_REFUSED
        link_hash = resume_links.hash_of(permit.token)
        try:
            target = self._find_link(link_hash)
        except StoreBusy:
            return ReadStep(partial(self._follow_aside, permit, body))
        except StoreUnavailable as error:
            return self._link_unsaved(permit, error)
        if target is None:
            return resume_links.NOT_FOUND
        metadata = permit.context.metadata(target.actor)
        command = FollowLink(flow_id=target.flow_id, link_hash=link_hash)
        return CommandStep(
            target.session.submission(command, metadata), partial(self._show_followed, permit)
        )

    def _follow_aside(self, permit: LinkPermit, body: bytes) -> Response:
        step = self.follow(permit, body)
        return step if isinstance(step, Response) else do_now(step, self._submit)

    def _show_followed(self, permit: LinkPermit, result: CommandResult) -> Response:
        if isinstance(result, StoreUnavailable):
            return self._link_unsaved(permit, result)
        if isinstance(result, Exception):
            raise result
        response = resume_links.followed(result)
        return response if result.flow is None else evolve(response, flow_id=result.flow.flow_id)

    def _link_unsaved(self, permit: LinkPermit, error: StoreUnavailable) -> Response:
        self._log_fault(permit.context.request_id, error)
        return resume_links.UNSAVED
