"""The requests that callers were refused, kept apart from the streams of the flows.

A refused request of an authenticated caller is kept, up to a number; each one is counted for ever.
Requests of strangers are only counted: what they claim proves nothing, and they must not be able
to fill a disk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeAlias

from attrs import frozen

from domain.flow.ids import FlowId, KeyId, RequestId, RouteId
from domain.flow.values import Timestamp

DAY: Final = 86_400_000
"""Milliseconds; a day is one of UTC."""


@frozen(kw_only=True)
class RefusedRequest:
    """A request of an authenticated caller that was refused.

    All of it is the server's own, or has a form that holds no secret: `flow_id` is None if what the
    caller named does not look like an id.
    """

    at: Timestamp
    route_id: RouteId
    key_id: KeyId
    action: str
    code: str
    flow_id: FlowId | None
    request_id: RequestId
    remote_address: str | None


@frozen(kw_only=True)
class TurnedAway:
    """A call that was not let in: from a stranger, or one too many.

    `key_id` is that of a key that was presented before or after the times at which it is valid.
    """

    at: Timestamp
    route_id: RouteId
    code: str
    key_id: KeyId | None = None


DeniedRequest: TypeAlias = RefusedRequest | TurnedAway

NoteDenied: TypeAlias = Callable[[DeniedRequest], None]
"""Takes a refused request at once; it neither waits for a disk nor raises."""


@frozen(kw_only=True)
class Wanted:
    """A selection of refusals: equal in what is not None, and from `since` to before `until`."""

    route_id: RouteId | None = None
    key_id: KeyId | None = None
    code: str | None = None
    flow_id: FlowId | None = None
    since: Timestamp | None = None
    until: Timestamp | None = None


@frozen(kw_only=True)
class KeptCall:
    """A refused call with its number, counted from 1 in the order of recording."""

    number: int
    call: RefusedRequest


@frozen(kw_only=True)
class RefusalPage:
    """Some refused calls, newest first, and the cursor of the rest if there is a rest."""

    calls: Sequence[KeptCall]
    next_cursor: int | None


@frozen(kw_only=True)
class RefusalTotal:
    """How often a key of a route was refused something on a day, for one reason.

    `day` is its first moment. It always adds up; where it does not, somebody has changed the log.
    """

    day: Timestamp
    route_id: RouteId
    key_id: KeyId
    code: str
    counted: int
    kept: int
    dropped: int


def adds_up(total: RefusalTotal) -> bool:
    """Say whether what was counted is what is kept and what was dropped."""
    return total.counted == total.kept + total.dropped


@frozen(kw_only=True)
class TurnedAwayTotal:
    """How many calls a route turned away on a day, for one reason."""

    day: Timestamp
    route_id: RouteId
    code: str
    counted: int


class RefusalLog(Protocol):
    """The refusals of a store, opened to be read, also beside the process that writes them.

    All its methods may raise `StoreUnavailable`; a store that has no log of refusals has none.
    """

    def of_flow(self, flow_id: FlowId, *, limit: int = 100) -> Sequence[RefusedRequest]:
        """Return at most `limit` of the refused calls that named a flow, newest first."""
        ...

    def page(self, wanted: Wanted, *, limit: int, before: int | None = None) -> RefusalPage:
        """Return at most `limit` refused calls, newest first, those numbered before a cursor."""
        ...

    def totals(self, wanted: Wanted) -> Sequence[RefusalTotal]:
        """Return the totals by day, route, key and code, of each day that is touched.

        They know no flows: `wanted.flow_id` is not looked at.
        """
        ...

    def turned_away(self, wanted: Wanted) -> Sequence[TurnedAwayTotal]:
        """Return the totals by day, route and code of those who were not let in.

        They have neither keys nor flows: `wanted.key_id` and `wanted.flow_id` are not looked at.
        """
        ...
