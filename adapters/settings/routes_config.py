"""The routes of the webhooks plugin: which there are, for whom they act, and by which keys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Final

from attrs import field, frozen

from adapters.settings.allowed_actions import AllowedActions, read_allowed
from adapters.settings.diagnostics import ConfigPath, Diagnostics, written
from adapters.settings.key_validity import ALWAYS, KeyFault, KeyValidity
from adapters.settings.limits import read_route_limits
from adapters.settings.mapping_config import CheckMap, MapConfig, read_map
from adapters.settings.nodes import Misfit, Node
from adapters.settings.plugin_switch import SwitchedOff, find_entry, read_switch
from adapters.settings.providers import Providers
from adapters.settings.references import DeclaredSecret
from adapters.settings.secret import Secret
from adapters.settings.signature_config import SignatureConfig, read_signature, secret_field
from adapters.settings.structure import another, kinds_of, plain_text, read, read_members, text
from domain.application.limits import Limits, RouteLimits
from domain.flow.ids import KeyId, Owner, RouteId
from domain.flow.values import BLANKS, Timestamp

DEFAULT_KEY: Final = KeyId("default")
"""The id of the key that a plain `secret` makes."""

_MOST_BYTES: Final = 1000
"""Of what rows are found by: a row of an index on PostgreSQL takes 2,700 bytes."""


def _indexed(node: Node) -> str:
    string = text(node)
    if _is_too_long(string):
        raise Misfit(f"at most {_MOST_BYTES} bytes in UTF-8", another(node, "more"))
    return string


def _is_too_long(string: str) -> bool:
    return len(string.encode(errors="replace")) > _MOST_BYTES


_ROUTE: Final[dict[str, Any]] = {
    "enabled": bool,
    "path": str,
    "session_key": Annotated[str, _indexed],
    "secret": Any,
    "secrets": Any,
    "auth": Any,
    "may": Any,
    "controller_id": str,
    "description": Annotated[str, plain_text],
    "limits": Any,
    "map": Any,
    "separate_approver": bool,
}
_KEY_FIELDS: Final = ("secret", "notBefore", "notAfter", "auth", "may")
"""What an object may hold that is a secret and more; a SecretRef has other members."""

_KEY_ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_PREFIX: Final = "/plugins/webhooks/"


@frozen
class DeclaredKey:
    """One key of a route as it is written."""

    key_id: KeyId
    secret: DeclaredSecret
    validity: KeyValidity = ALWAYS
    signature: SignatureConfig | None = None
    may: AllowedActions = None


@frozen
class RouteKey:
    """One secret of a route; events name its id, so that a leaked one can be traced.

    With a `signature`, requests are signed with the secret, and do not carry it.
    """

    key_id: KeyId
    secret: Secret
    validity: KeyValidity = ALWAYS
    signature: SignatureConfig | None = None
    may: AllowedActions = None


@frozen(kw_only=True)
class UnresolvedKey:
    """A key of an enabled route whose secret could not be looked up."""

    route_id: RouteId
    key_id: KeyId
    reason: str
    place: ConfigPath


@frozen
class InvalidKey:
    """A key whose secret was presented before or after the times at which it is valid."""

    key_id: KeyId
    fault: KeyFault


@frozen(kw_only=True)
class RouteConfig:
    """One path: for whom it acts, with which secrets, within which limits.

    `keys` are those whose secrets were found, `unresolved` the others, once they are looked up.
    """

    route_id: RouteId
    path: str
    owner: Owner
    controller_id: str
    description: str | None = None
    limits: RouteLimits
    map: MapConfig | None = None
    enabled: bool = True
    separate_approver: bool = False
    declared: tuple[DeclaredKey, ...] = field(default=(), eq=False)
    keys: tuple[RouteKey, ...] = ()
    unresolved: tuple[UnresolvedKey, ...] = ()
    place: ConfigPath = field(default=(), eq=False)

    @property
    def path_place(self) -> ConfigPath:
        """Return the place of the route's path, even where the path is the default."""
        return (*self.place, "path")

    def identify(self, presented: str, at: Timestamp) -> KeyId | InvalidKey | None:
        """Return the id of the key that a caller presented, or None; see `Secret.matches`.

        The work is the same whichever key matches, and if none does. A key that is valid goes
        before one with the same secret that is not.
        """
        # APPSEC: a list, not a generator: every key is compared before the first match is taken.
        return valid_key([key for key in self.keys if key.secret.matches(presented)], at)


def valid_key(matching: Iterable[RouteKey], at: Timestamp) -> KeyId | InvalidKey | None:
    """Return the first of some keys that is valid at a moment, else the first that is not."""
    invalid: InvalidKey | None = None
    for key in matching:
        fault = key.validity.fault(at)
        if fault is None:
            return key.key_id
        invalid = invalid or InvalidKey(key.key_id, fault)
    return invalid


@frozen
class Webhooks:
    """The plugin's configuration: what takes it out as a whole, its routes, and where."""

    off: SwitchedOff | None
    routes: tuple[RouteConfig, ...]
    place: ConfigPath

    @property
    def disabled(self) -> tuple[str, ...]:
        """Return the ids of the routes that are switched off, alone or with the plugin."""
        return tuple(one.route_id for one in self.routes if self.off or not one.enabled)

    @property
    def served(self) -> tuple[RouteConfig, ...]:
        """Return the routes that are to be served, if their secrets allow."""
        return tuple(one for one in self.routes if one.enabled and not self.off)


def read_webhooks(
    root: Node, providers: Providers, limits: Limits, check_map: CheckMap
) -> Webhooks:
    """Read `plugins.entries.webhooks` and what else of `plugins` is about it."""
    entry = find_entry(root)
    config = entry.at("config")
    config.members(("routes",))
    routes = config.at("routes")
    declared = (
        _route(RouteId(name), one, limits, check_map) for name, one in routes.members().items()
    )
    webhooks = Webhooks(read_switch(root, entry), tuple(filter(None, declared)), entry.path)
    for key in (key for route in webhooks.served for key in route.declared):
        providers.check(key.secret, root.diagnostics)
    _refuse_conflicts(webhooks.served, root.diagnostics)
    return webhooks


def _route(
    route_id: RouteId, node: Node, general: Limits, check_map: CheckMap
) -> RouteConfig | None:
    if not isinstance(node.value, dict):
        node.refuse("an object")
        return None
    if not route_id or route_id.strip(BLANKS) != route_id or not route_id.isprintable():
        node.refuse("a route id without blanks around it", "another key")
    elif _is_too_long(route_id):
        node.refuse(f"a route id of at most {_MOST_BYTES} bytes in UTF-8", "a longer one")
    found = read_members(node, _ROUTE, required=("session_key",))
    declared = tuple(_keys(node))
    _refuse_mixed(node, declared)
    signatures = {str(key.signature.options.get("header")) for key in declared if key.signature}
    may, separate = [key.may for key in declared], found.get("separate_approver", False)
    return RouteConfig(
        route_id=route_id,
        enabled=found.get("enabled", True),
        path=_normalised(found.get("path", f"{_PREFIX}{route_id}")),
        owner=Owner(found.get("session_key", "")),
        controller_id=found.get("controller_id", f"webhooks/{route_id}"),
        description=found.get("description"),
        separate_approver=separate,
        declared=declared,
        limits=read_route_limits(node.at("limits"), general),
        map=read_map(node.at("map"), check_map, may, signatures, separate_approver=separate),
        place=node.path,
    )


def _normalised(path: str) -> str:
    """Return a path with a slash in front, and without one at its end."""
    absolute = path if path.startswith("/") else f"/{path}"
    return absolute.removesuffix("/") or "/"


def _keys(route: Node) -> Iterator[DeclaredKey]:
    plain, several = route.at("secret"), route.at("secrets")
    signature, may = read_signature(route.at("auth")), read_allowed(route)
    if not plain.is_absent:
        if secret := read(plain, secret_field(signature)):
            yield DeclaredKey(DEFAULT_KEY, secret, signature=signature, may=may)
    elif several.is_absent or several.value == {}:
        plain.refuse("a secret, a SecretRef, or an object secrets with some of them")
    for key_id, node in several.members().items():
        if not _KEY_ID.fullmatch(key_id):
            node.refuse("a key id like 2026-01 or next", "another key")
        elif key_id == DEFAULT_KEY and not plain.is_absent:
            node.refuse(f"another key id, as secret is {DEFAULT_KEY}", DEFAULT_KEY)
        elif key := _key(KeyId(key_id), node, signature, may):
            yield key


def _key(
    key_id: KeyId, node: Node, signature: SignatureConfig | None, may: AllowedActions
) -> DeclaredKey | None:
    """Read one of several keys: a secret alone, or with what is set for this key."""
    if not isinstance(node.value, dict) or node.value.keys().isdisjoint(_KEY_FIELDS):
        secret = read(node, secret_field(signature))
        return secret and DeclaredKey(key_id, secret, signature=signature, may=may)
    if not node.at("auth").is_absent:
        signature = read_signature(node.at("auth"))
    kinds = {"secret": secret_field(signature), "auth": Any, "may": Any, **kinds_of(KeyValidity)}
    found = read_members(node, kinds, required=("secret",))
    begin, end = found.get("not_before"), found.get("not_after")
    if begin is not None and end is not None and begin >= end:
        node.at("notAfter").refuse("a time after notBefore", "none after it")
    allowed = read_allowed(node, may)
    if "secret" not in found:
        return None
    validity = KeyValidity(not_before=begin, not_after=end)
    return DeclaredKey(key_id, found["secret"], validity, signature, allowed)


def _refuse_mixed(route: Node, keys: Sequence[DeclaredKey]) -> None:
    # APPSEC: else a caller would choose by what it is to be known.
    if len({key.signature is None for key in keys}) > 1:
        expected = "auth for each of the route's keys, or for none of them"
        route.at("secrets").refuse(expected, "keys with it and keys without")


def _refuse_conflicts(served: tuple[RouteConfig, ...], diagnostics: Diagnostics) -> None:
    first: dict[str, RouteConfig] = {}
    for route in served:
        other = first.setdefault(route.path, route)
        if other is not route:
            _refuse_conflict(route, other, diagnostics)


def _refuse_conflict(route: RouteConfig, other: RouteConfig, diagnostics: Diagnostics) -> None:
    place = written(other.path_place)
    own, others = diagnostics.source(route.path_place), diagnostics.source(other.path_place)
    line = f"line {others.line}" if own.file == others.file else f"{others.file}:{others.line}"
    where = place if others.line is None else f"{place} ({line})"
    diagnostics.refuse(
        route.path_place,
        expected="a path that no other enabled route has",
        found=f"{route.path}, which is the path of {where}",
    )
