"""From a configuration to settings: its secrets are looked up, and advice is given on all of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import asdict, evolve, frozen

from adapters.settings.advice import advise
from adapters.settings.config import Config, read_config
from adapters.settings.diagnostics import ConfigAdvice, Diagnostics, SourceLine, written
from adapters.settings.gateway_config import GatewayConfig
from adapters.settings.mapping_config import CheckMap, unchecked
from adapters.settings.pages import PagesLogin
from adapters.settings.routes_config import RouteConfig, RouteKey, UnresolvedKey
from adapters.settings.secret_lookup import Secrets, look_up
from adapters.settings.secret_text import Unresolved
from domain.flow.ids import RouteId


@frozen(kw_only=True)
class RouteWithoutKey:
    """A route that is not served, as none of its secrets could be looked up; one warning each."""

    route_id: RouteId
    path: str
    at: SourceLine
    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.at}: {self.field}: route {self.route_id} is skipped: {self.reason}"


@frozen(kw_only=True)
class Settings(GatewayConfig):
    """A whole configuration, checked: what is served, what is not and why, and how.

    `disabled` has the ids of routes that are switched off, alone or with the plugin. `skipped` are
    those none of whose secrets could be looked up, `unresolved` all keys without their secret.
    `advice` is on what works but should not stay.
    """

    routes: tuple[RouteConfig, ...]
    skipped: tuple[RouteWithoutKey, ...]
    unresolved: tuple[UnresolvedKey, ...]
    disabled: tuple[str, ...]
    advice: tuple[ConfigAdvice, ...]


def load_settings(
    path: Path, environ: Mapping[str, str], check_map: CheckMap = unchecked
) -> Settings:
    """Read a configuration file and look up its secrets; raise SettingsError with every problem."""
    return resolve(read_config(path, environ, check_map), environ)


def resolve(config: Config, environ: Mapping[str, str]) -> Settings:
    """Look up the secrets of a configuration, each provider being asked once.

    A secret that is missing, or that its provider cannot give at this moment, takes its own route
    out and no other.
    """
    secrets = look_up(config.secrets, config.providers, environ)
    routes = tuple(_with_keys(route, secrets) for route in config.webhooks.served)
    diagnostics = evolve(config.diagnostics, advice=list(config.diagnostics.advice))
    advise(config, routes, secrets, diagnostics)
    return Settings(
        **asdict(config.gateway, recurse=False),
        routes=tuple(route for route in routes if route.keys),
        skipped=tuple(_skipped(route, diagnostics) for route in routes if not route.keys),
        unresolved=tuple(key for route in routes for key in route.unresolved),
        disabled=config.webhooks.disabled,
        advice=tuple(sorted(diagnostics.advice, key=diagnostics.order)),
    )


def resolve_route(config: Config, route: RouteConfig, environ: Mapping[str, str]) -> RouteConfig:
    """Return a route with its keys; no secret of another one is looked up."""
    declared = [key.secret for key in route.declared]
    return _with_keys(route, look_up(declared, config.providers, environ))


def resolve_login(config: Config, environ: Mapping[str, str]) -> PagesLogin | Unresolved | None:
    """Look up the password of the auditor's pages and no other secret; None if there is none."""
    pages = config.gateway.pages
    if pages.password is None:
        return None
    found = look_up([pages.password], config.providers, environ)[pages.password]
    return found if isinstance(found, Unresolved) else PagesLogin(pages.user, found)


def _with_keys(route: RouteConfig, secrets: Secrets) -> RouteConfig:
    keys, unresolved = [], []
    for key in route.declared:
        match secrets[key.secret]:
            case Unresolved(reason):
                place = key.secret.place
                unresolved.append(
                    UnresolvedKey(
                        route_id=route.route_id, key_id=key.key_id, reason=reason, place=place
                    )
                )
            case secret:
                keys.append(RouteKey(key.key_id, secret, key.validity, key.signature, key.may))
    return evolve(route, keys=tuple(keys), unresolved=tuple(unresolved))


def _skipped(route: RouteConfig, diagnostics: Diagnostics) -> RouteWithoutKey:
    place = route.unresolved[0].place
    return RouteWithoutKey(
        route_id=route.route_id,
        path=route.path,
        at=diagnostics.source(place),
        field=written(place),
        reason="; ".join(dict.fromkeys(key.reason for key in route.unresolved)),
    )
