"""What is known of a request, and what the access log says of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias, TypedDict

from adapters.webhooks.limits import Seconds
from adapters.webhooks.responses import Response
from domain.application.recorded_events import Actor, CommandMetadata, RequestKey
from domain.flow.ids import FlowId, KeyId, RequestId, RouteId
from domain.flow.lean_frozen import lean_frozen

LogFault: TypeAlias = Callable[[RequestId, BaseException], None]
"""Takes the id of a request and the fault, ours or the store's, behind its answer."""

_MOST_CHARACTERS = 128


class RequestHead(Protocol):
    """A request before its body, as the server has read it.

    `path` is the raw one without its query; names of headers are in lower case, values Latin-1.
    """

    @property
    def request_id(self) -> RequestId:
        """The id that the answer carries; it is never the caller's own."""

    @property
    def method(self) -> str:
        """The method as sent."""

    @property
    def path(self) -> str:
        """The raw target before its query."""

    @property
    def peer(self) -> str:
        """The address of the socket's other end."""

    def values(self, name: str) -> tuple[str, ...]:
        """Return every value of a header, in the order sent."""

    def value(self, name: str) -> str | None:
        """Return the value of a header, repeats folded into one, or None without it."""


@lean_frozen(kw_only=True)
class RequestContext:
    """Who sent a request, to which route, and when it began."""

    request_id: RequestId
    started: Seconds
    remote_address: str | None
    route_id: RouteId | None = None
    key_id: KeyId | None = None

    def known_as(self, key_id: KeyId) -> RequestContext:
        """Return the same where it is known by which key the request was sent."""
        # PERF: `evolve` takes three times as long.
        return RequestContext(
            request_id=self.request_id,
            started=self.started,
            remote_address=self.remote_address,
            route_id=self.route_id,
            key_id=key_id,
        )

    def metadata(self, actor: Actor, request_key: RequestKey | None = None) -> CommandMetadata:
        """Return what is recorded of a command that the request gives."""
        return CommandMetadata(
            actor=actor,
            request_id=self.request_id,
            remote_address=self.remote_address,
            request_key=request_key,
        )


class AccessLogEntry(TypedDict):
    """The fields of a request's log record; those not known are None."""

    request_id: RequestId
    route: RouteId | None
    key_id: KeyId | None
    action: str | None
    flow_id: FlowId | None
    status: int
    code: str | None
    reason: str | None
    duration_ms: float
    remote_address: str | None


LogRequest: TypeAlias = Callable[[AccessLogEntry], None]
"""Takes the entry of each request once, when its answer is decided."""


def access_log_entry(
    context: RequestContext,
    response: Response,
    *,
    action: str | None,
    flow_id: FlowId | None,
    ended: Seconds,
) -> AccessLogEntry:
    """Return the log entry of a request and its answer."""
    return {
        "request_id": context.request_id,
        "route": context.route_id,
        "key_id": context.key_id,
        "action": action,
        "flow_id": None if flow_id is None else _loggable(flow_id),
        "status": response.status,
        "code": response.code,
        "reason": response.reason,
        "duration_ms": round((ended - context.started) * 1000, 3),
        "remote_address": context.remote_address,
    }


def _loggable(flow_id: FlowId) -> FlowId:
    # APPSEC: a caller may send any text as an id, line breaks too.
    clipped = flow_id[:_MOST_CHARACTERS]
    return FlowId(clipped if clipped.isprintable() else repr(clipped))
