"""The routes that a gateway serves, and those that it had to leave out."""

from __future__ import annotations

from attrs import frozen

from adapters.settings.limits import Limits
from adapters.settings.secret import Secret


@frozen
class RouteKey:
    """One secret of a route; events name its id, so that a leaked one can be traced."""

    key_id: str
    secret: Secret


@frozen(kw_only=True)
class Route:
    """One path that is served: for whom it acts, with which secrets, within which limits."""

    route_id: str
    path: str
    owner: str
    controller_id: str
    description: str | None = None
    keys: tuple[RouteKey, ...]
    limits: Limits

    def identify(self, presented: str) -> str | None:
        """Return the id of the key that a caller presented, or None; see `Secret.matches`.

        The work is the same whichever key matches, and if none does.
        """
        # APPSEC: a list, not a generator: every key is compared before the first match is taken.
        matching = [key.key_id for key in self.keys if key.secret.matches(presented)]
        return matching[0] if matching else None


@frozen(kw_only=True)
class SkippedRoute:
    """A route that is not served, as none of its secrets could be resolved; one warning each."""

    route_id: str
    path: str
    file: str
    line: int | None
    field: str
    reason: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.field}: route {self.route_id} is skipped: {self.reason}"
