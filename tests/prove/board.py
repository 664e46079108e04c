"""The few flows that all clients work on at a time, each until it has had its calls."""

from __future__ import annotations

from random import Random
from threading import Condition, Lock
from typing import Final

from attrs import define, field, frozen

from adapters.testing.answers import PlainView
from domain.flow.commands import Command
from tests.whole.callers import Door
from tests.whole.gateway import Place

FLOWS: Final = 3
CALLS_EACH: Final = 60
"""So many calls at least are made on a flow before another takes its place."""


@frozen
class Side:
    """A route, and the owner that it is bound to."""

    route_id: str
    owner: str
    door: Door


SIDES: Final = (
    Side("zapier", "agent:main:main", Door("/plugins/webhooks/zapier", "plain-secret-zapier")),
    Side("twin", "agent:main:main", Door("/plugins/webhooks/twin", "plain-secret-twin")),
)
"""Two routes of one owner; on some calls, a stranger's."""
STRANGER: Final = Side(
    "other", "agent:main:other", Door("/plugins/webhooks/other", "env-secret-value")
)


@define(eq=False)
class Target:
    """A flow, as far as its callers know it."""

    flow_id: str
    revision: int = 0
    is_over: bool = False
    calls: int = 0
    tasks: list[str] = field(factory=list)
    latest: tuple[Side, Command, str] | None = None
    """A request with a key that somebody sent, for others to send again."""

    def learn(self, flow: PlainView) -> None:
        """Note what somebody was shown; two may be told in another order than it happened."""
        self.revision = int(str(flow["revision"]))
        self.is_over = self.is_over or "ended_at" in flow


@define(eq=False)
class Board:
    """The flows at hand; a place without one is being filled by somebody."""

    places: dict[int, Target] = field(factory=dict)
    _filling: set[int] = field(factory=set, init=False)
    _lock: Lock = field(factory=Lock, init=False)

    def pick(self, chance: Random) -> Target | int:
        """Return a flow, or a place for which its caller must make one."""
        with self._lock:
            empty = [place for place in range(FLOWS) if place not in self.places]
            for place in empty:
                if place not in self._filling or not self.places:
                    self._filling.add(place)
                    return place
            place, target = chance.choice(list(self.places.items()))
            target.calls += 1
            if target.is_over and target.calls >= CALLS_EACH:
                del self.places[place]
            return target

    def put(self, place: int, target: Target) -> None:
        """Put a new flow in a place."""
        with self._lock:
            self.places[place] = target
            self._filling.discard(place)


class NoGatewayError(Exception):
    """There is no gateway any more, and there will be none."""


@define(eq=False)
class Whereabouts:
    """Where the gateway is, while there is one."""

    _place: Place | None = None
    _is_over: bool = False
    _changed: Condition = field(factory=Condition, init=False)

    def here(self) -> Place:
        """Return where it is, once it is anywhere; raises NoGatewayError when all is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._place is not None or self._is_over)
            if self._place is None or self._is_over:
                raise NoGatewayError
            return self._place

    def move(self, place: Place | None) -> None:
        """Say where it is now, or that it is nowhere."""
        with self._changed:
            self._place = place
            self._changed.notify_all()

    def end(self) -> None:
        """Let nobody wait for it any longer."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
