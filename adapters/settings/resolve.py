"""Declared routes with their secrets resolved: those that can be served, and the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import frozen

from adapters.settings.config import Plan
from adapters.settings.diagnostics import ConfigPath, Diagnostics, written
from adapters.settings.pages import DeclaredPages, PagesConfig
from adapters.settings.references import SecretRef
from adapters.settings.resolution import Resolutions, resolve
from adapters.settings.routes import RouteConfig, RouteKey, SkippedRoute, UnresolvedKey
from adapters.settings.routes_config import DeclaredKey, DeclaredRoute, references
from adapters.settings.secret import Secret
from adapters.settings.secret_text import Unresolved


@frozen
class HeldKey:
    """A key of a route whose secret is at hand."""

    declared: DeclaredKey
    secret: Secret

    @property
    def is_inline(self) -> bool:
        """Return whether the secret itself is written in the configuration."""
        return isinstance(self.declared.held, Secret)

    @property
    def place(self) -> ConfigPath:
        """Return where the secret, or the reference to it, is written."""
        return self.declared.field.path


@frozen
class MissingKey:
    """A key of a route whose secret could not be resolved."""

    declared: DeclaredKey
    reason: str


@frozen
class ResolvedRoute:
    """An enabled route, with the keys that it has and those that it lacks."""

    declared: DeclaredRoute
    held: tuple[HeldKey, ...]
    missing: tuple[MissingKey, ...]


def resolve_routes(
    routes: tuple[DeclaredRoute, ...], resolutions: Resolutions
) -> tuple[ResolvedRoute, ...]:
    """Return enabled routes with the secrets that were resolved."""
    return tuple(_resolved(route, resolutions) for route in routes)


def resolve_all(plan: Plan, environ: Mapping[str, str]) -> Resolutions:
    """Resolve all secrets that a configuration refers to, each provider being asked once."""
    wanted = [ref for ref, _ in references(plan.webhooks.served)]
    password = plan.service.pages.password
    if password is not None and isinstance(password.held, SecretRef):
        wanted.append(password.held)
    return resolve(wanted, plan.providers, environ)


def resolved_password(declared: DeclaredPages, resolutions: Resolutions) -> HeldKey | None:
    """Return the password of the auditor's pages, if there is one and it is at hand."""
    if declared.password is None:
        return None
    found = _resolution(declared.password, resolutions)
    return None if isinstance(found, Unresolved) else HeldKey(declared.password, found)


def pages_of(declared: DeclaredPages, resolutions: Resolutions) -> PagesConfig:
    """Return where the auditor's pages listen, and the password or why there is none."""
    password = declared.password
    return PagesConfig(
        host=declared.host,
        port=declared.port,
        user=declared.user,
        base_path=declared.base_path,
        password=None if password is None else _resolution(password, resolutions),
    )


def _resolved(route: DeclaredRoute, resolutions: Resolutions) -> ResolvedRoute:
    held, missing = [], []
    for key in route.keys:
        match _resolution(key, resolutions):
            case Unresolved(reason=reason):
                missing.append(MissingKey(key, reason))
            case secret:
                held.append(HeldKey(key, secret))
    return ResolvedRoute(route, tuple(held), tuple(missing))


def _resolution(key: DeclaredKey, resolutions: Resolutions) -> Secret | Unresolved:
    return resolutions[key.held] if isinstance(key.held, SecretRef) else key.held


def route_of(resolved: ResolvedRoute) -> RouteConfig:
    """Return a route with the keys that it has."""
    declared = resolved.declared
    return RouteConfig(
        route_id=declared.route_id,
        path=declared.path,
        owner=declared.owner,
        controller_id=declared.controller_id,
        description=declared.description,
        keys=tuple(
            RouteKey(key.declared.key_id, key.secret, key.declared.times) for key in resolved.held
        ),
        limits=declared.limits,
    )


def unresolved_of(resolved: ResolvedRoute) -> Iterator[UnresolvedKey]:
    """Return the keys that a route lacks."""
    for key in resolved.missing:
        yield UnresolvedKey(
            route_id=resolved.declared.route_id, key_id=key.declared.key_id, reason=key.reason
        )


def skipped_of(resolved: ResolvedRoute, diagnostics: Diagnostics) -> SkippedRoute:
    """Return a route without any key as one that is skipped."""
    place = resolved.missing[0].declared.field.path
    at = diagnostics.source(place)
    return SkippedRoute(
        route_id=resolved.declared.route_id,
        path=resolved.declared.path,
        file=at.file,
        line=at.line,
        field=written(place),
        reason="; ".join(dict.fromkeys(key.reason for key in resolved.missing)),
    )
