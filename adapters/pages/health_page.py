"""The whole log's health: what is known at once, and what the last integrity check found."""

from __future__ import annotations

from typing import Any, Final

import falcon
from attrs import frozen
from falcon import Request, Response

from adapters.pages.dependencies import PageDependencies
from adapters.pages.integrity_check import IntegrityCheck
from adapters.pages.refusals_page import summed
from adapters.pages.rendering import address, render_page
from domain.history.audit_log import LogEntry
from domain.history.refused_requests import Wanted

_RELOAD_SECONDS: Final = 2
_ELSEWHERE: Final = frozenset({"cross-site", "same-site"})
"""What `Sec-Fetch-Site` says where another site's page sent the reader here."""


@frozen
class HealthPage:
    """`GET /health`: the state of the log; `?check=now` starts an integrity check."""

    given: PageDependencies
    check: IntegrityCheck

    def on_get(self, req: Request, resp: Response) -> None:
        """Show it, or start a check and come back."""
        if req.get_param("check"):
            self._start(req)
            raise falcon.HTTPSeeOther(address("/health"))
        if self.check.running is not None:
            resp.set_header("Refresh", f"{_RELOAD_SECONDS}")
        resp.text = render_page("health.html", self._values())

    on_head = on_get

    def _start(self, req: Request) -> None:
        # APPSEC: a browser sends the password along, no matter who wrote the link.
        if req.get_header("Sec-Fetch-Site") in _ELSEWHERE:
            raise falcon.HTTPForbidden(description="Start the checkup from its own page.")
        self.check.start()

    def _values(self) -> dict[str, Any]:
        last = _last(self.given)
        return {
            "nav": "health",
            "size": 0 if last is None else last.position,
            "last": last,
            "running": self.check.running,
            "result": self.check.last,
            "broken_off": self.check.broken_off,
            "refusals": summed(self.given.refusals.totals(Wanted())),
        }


def _last(given: PageDependencies) -> LogEntry | None:
    size = given.audit_log.size()
    return next(iter(given.audit_log.entries(size, size)), None)
