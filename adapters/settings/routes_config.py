"""Routes as the webhooks plugin's configuration declares them, before any secret is resolved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from attrs import frozen

from adapters.settings.diagnostics import ConfigPath, written
from adapters.settings.fields import Members, Node
from adapters.settings.key_validity import (
    ALWAYS,
    NOT_AFTER,
    NOT_BEFORE,
    KeyValidity,
    read_key_times,
)
from adapters.settings.limits import read_route_limits
from adapters.settings.plugin_switch import PLUGIN_ID, SwitchedOff, read_switch
from adapters.settings.providers import Providers
from adapters.settings.references import (
    SecretInput,
    SecretRef,
    read_secret_input,
    refuse_placeholder,
)
from domain.application.limits import Limits
from domain.flow.ids import KeyId, Owner, RouteId
from domain.flow.values import BLANKS

DEFAULT_KEY: Final = KeyId("default")
"""The id of the key that a plain `secret` makes."""

_KEYS: Final = (
    *("enabled", "path", "sessionKey", "secret", "secrets", "controllerId", "description"),
    "limits",
)
_KEY_ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_PREFIX: Final = "/plugins/webhooks/"
_PLUGIN: Final = ("plugins", "entries", PLUGIN_ID)
_PLUGIN_KEYS: Final = ("enabled", "config", "hooks", "subagent", "llm")
"""What OpenClaw's own schema lets stand beside a plugin's configuration."""


@frozen
class DeclaredKey:
    """One secret of a route as it is written, and where."""

    key_id: KeyId
    held: SecretInput
    field: Node
    times: KeyValidity = ALWAYS


@frozen(kw_only=True)
class DeclaredRoute:
    """One route as it is written, its defaults filled in, and where."""

    route_id: RouteId
    enabled: bool
    path: str
    owner: Owner
    controller_id: str
    description: str | None
    keys: tuple[DeclaredKey, ...]
    limits: Limits
    field: Node

    @property
    def path_place(self) -> ConfigPath:
        """Return the place of the route's path, even where the path is the default."""
        return (*self.field.path, "path")


@frozen
class Webhooks:
    """The plugin's configuration: what takes it out as a whole, its routes, and where."""

    off: SwitchedOff | None
    routes: tuple[DeclaredRoute, ...]
    place: ConfigPath

    @property
    def disabled(self) -> tuple[str, ...]:
        """Return the ids of the routes that are switched off, alone or with the plugin."""
        off = (route for route in self.routes if self.off or not route.enabled)
        return tuple(route.route_id for route in off)

    @property
    def served(self) -> tuple[DeclaredRoute, ...]:
        """Return the routes that are to be served, if their secrets allow."""
        return tuple(route for route in self.routes if route.enabled and not self.off)


def read_webhooks(root: Members, providers: Providers, limits: Limits) -> Webhooks:
    """Read `plugins.entries.webhooks` and what else of `plugins` is about it."""
    plugins = root.object("plugins")
    plugins.refuse_misspelt("enabled", "allow", "deny", "entries")
    entries = plugins.object("entries")
    entries.refuse_misspelt(PLUGIN_ID)
    entry = entries.object(PLUGIN_ID, _PLUGIN_KEYS)
    declared = entry.object("config", ("routes",)).object("routes").fields.items()
    routes = tuple(_route(RouteId(route_id), field, limits) for route_id, field in declared)
    webhooks = Webhooks(read_switch(plugins, entry), routes, _PLUGIN)
    for ref, field in references(webhooks.served):
        providers.check(ref, field)
    for key in (key for route in webhooks.served for key in route.keys):
        refuse_placeholder(key.held, key.field)
    _refuse_conflicts(webhooks.served)
    return webhooks


def references(routes: tuple[DeclaredRoute, ...]) -> Iterator[tuple[SecretRef, Node]]:
    """Return the references among the routes' secrets, each with its place."""
    for route in routes:
        for key in route.keys:
            if isinstance(key.held, SecretRef):
                yield key.held, key.field


def _route(route_id: RouteId, field: Node, limits: Limits) -> DeclaredRoute:
    if not route_id or route_id.strip(BLANKS) != route_id or not route_id.isprintable():
        field.refuse(expected="a route id without blanks around it", found="another key")
    members = field.members(_KEYS)
    owner = members.required("sessionKey", expected="a non-empty string")
    description = members.get("description")
    return DeclaredRoute(
        route_id=route_id,
        enabled=members.flag("enabled", default=True),
        path=_normalised(members.text("path", default=f"{_PREFIX}{route_id}")),
        owner=Owner("" if owner is None else owner.literal_text()),
        controller_id=members.text("controllerId", default=f"webhooks/{route_id}"),
        description=None if description is None else description.text(),
        keys=tuple(_keys(members)),
        limits=read_route_limits(members, limits),
        field=field,
    )


def _normalised(path: str) -> str:
    """Return a path with a slash in front, and without one at its end."""
    absolute = path if path.startswith("/") else f"/{path}"
    return absolute.removesuffix("/") or "/"


def _keys(members: Members) -> Iterator[DeclaredKey]:
    several = members.get("secrets")
    if several is None or several.value == {}:
        members.required("secret", expected=_WANTED)
    if plain := members.get("secret"):
        yield from _key(DEFAULT_KEY, plain)
    for key_id, field in members.object("secrets").fields.items():
        if not _KEY_ID.fullmatch(key_id):
            field.refuse(expected="a key id like 2026-01 or next", found="another key")
        elif key_id == DEFAULT_KEY and members.get("secret"):
            field.refuse(expected=f"another key id, as secret is {DEFAULT_KEY}", found=DEFAULT_KEY)
        elif isinstance(field.value, dict) and not field.value.keys().isdisjoint(_TIMED):
            yield from _timed(KeyId(key_id), field)
        else:
            yield from _key(KeyId(key_id), field)


_TIMED: Final = ("secret", NOT_BEFORE, NOT_AFTER)
"""What an object may hold that is a secret with its times; a SecretRef has other members."""

_WANTED: Final = "a secret, a SecretRef, or an object secrets with some of them"


def _timed(key_id: KeyId, field: Node) -> Iterator[DeclaredKey]:
    members = field.members(_TIMED)
    times = read_key_times(members)
    secret = members.required("secret", expected="a secret or a SecretRef")
    if secret is not None:
        yield from _key(key_id, secret, times)


def _key(key_id: KeyId, field: Node, times: KeyValidity = ALWAYS) -> Iterator[DeclaredKey]:
    held = read_secret_input(field)
    if held is not None:
        yield DeclaredKey(key_id, held, field, times)


def _refuse_conflicts(served: tuple[DeclaredRoute, ...]) -> None:
    first: dict[str, DeclaredRoute] = {}
    for route in served:
        other = first.setdefault(route.path, route)
        if other is not route:
            _refuse_conflict(route, other)


def _refuse_conflict(route: DeclaredRoute, other: DeclaredRoute) -> None:
    diagnostics, place = route.field.diagnostics, written(other.path_place)
    own, others = diagnostics.source(route.path_place), diagnostics.source(other.path_place)
    line = f"line {others.line}" if own.file == others.file else f"{others.file}:{others.line}"
    where = place if others.line is None else f"{place} ({line})"
    diagnostics.refuse(
        route.path_place,
        expected="a path that no other enabled route has",
        found=f"{route.path}, which is the path of {where}",
    )
