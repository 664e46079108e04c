"""What is to be said at some moment of keys that begin and end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attrs import frozen

from adapters.presentation.printable import to_the_second
from adapters.settings import RouteConfig, RouteKey, Settings
from adapters.settings.diagnostics import written
from domain.flow.ids import KeyId
from domain.flow.values import Timestamp

_SOON: Final = 7 * 86_400_000
_ROUTES: Final = ("plugins", "entries", "webhooks", "config", "routes")


@frozen
class TimeAdvice:
    """A field of the configuration, and what its time brings."""

    field: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.field}: {self.sentence}"


def advise_on_times(settings: Settings, at: Timestamp) -> Iterator[TimeAdvice]:
    """Return what is to be said of the keys that are not valid at a moment, or not for long."""
    for route in settings.routes:
        place = (*_ROUTES, route.route_id)
        for key in route.keys:
            if sentence := _on_key(key, at):
                yield TimeAdvice(written((*place, "secrets", key.key_id)), sentence)
        if not any(key.validity.fault(at) is None for key in route.keys):
            sentence = "no key of the route is valid now: every caller is turned away"
            yield TimeAdvice(written((*place, "secrets")), sentence)


def _on_key(key: RouteKey, at: Timestamp) -> str | None:
    begin, end = key.validity.not_before, key.validity.not_after
    if begin is not None and key.validity.fault(at) == "key_not_yet_valid":
        return f"the key is valid from {to_the_second(begin)} on, not yet now"
    if end is not None and end <= at:
        return f"the key has expired at {to_the_second(end)}: take it out"
    if end is not None and end <= at + _SOON:
        return f"the key expires at {to_the_second(end)}, within 7 days"
    return None


def shown_times(route: RouteConfig) -> Iterator[tuple[KeyId, Timestamp | None, Timestamp | None]]:
    """Return the ids of the keys that begin or end, and when."""
    for key in route.keys:
        if key.validity.not_before is not None or key.validity.not_after is not None:
            yield key.key_id, key.validity.not_before, key.validity.not_after
