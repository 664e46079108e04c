"""The routes that a gateway serves, and those that it had to leave out."""

from __future__ import annotations

from attrs import frozen

from adapters.settings.key_validity import ALWAYS, KeyFault, KeyValidity
from adapters.settings.secret import Secret
from domain.application.limits import Limits
from domain.flow.ids import KeyId, Owner, RouteId
from domain.flow.values import Timestamp


@frozen
class RouteKey:
    """One secret of a route; events name its id, so that a leaked one can be traced."""

    key_id: KeyId
    secret: Secret
    times: KeyValidity = ALWAYS


@frozen
class InvalidKey:
    """A key whose secret was presented before or after the times at which it is valid."""

    key_id: KeyId
    fault: KeyFault


@frozen(kw_only=True)
class RouteConfig:
    """One path that is served: for whom it acts, with which secrets, within which limits."""

    route_id: RouteId
    path: str
    owner: Owner
    controller_id: str
    description: str | None = None
    keys: tuple[RouteKey, ...]
    limits: Limits

    def identify(self, presented: str, at: Timestamp) -> KeyId | InvalidKey | None:
        """Return the id of the key that a caller presented, or None; see `Secret.matches`.

        The work is the same whichever key matches, and if none does. A key that is valid goes
        before one with the same secret that is not.
        """
        # APPSEC: a list, not a generator: every key is compared before the first match is taken.
        matching = [key for key in self.keys if key.secret.matches(presented)]
        invalid: InvalidKey | None = None
        for key in matching:
            fault = key.times.fault(at)
            if fault is None:
                return key.key_id
            invalid = invalid or InvalidKey(key.key_id, fault)
        return invalid


@frozen(kw_only=True)
class UnresolvedKey:
    """A key of an enabled route whose secret could not be resolved."""

    route_id: RouteId
    key_id: KeyId
    reason: str


@frozen(kw_only=True)
class SkippedRoute:
    """A route that is not served, as none of its secrets could be resolved; one warning each."""

    route_id: RouteId
    path: str
    file: str
    line: int | None
    field: str
    reason: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.field}: route {self.route_id} is skipped: {self.reason}"
