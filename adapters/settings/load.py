"""From a configuration file to settings: read, refuse what is wrong, resolve, advise."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from adapters.settings.advice import advise
from adapters.settings.checkpoints import CheckpointsConfig, checkpoints_of
from adapters.settings.config import Plan, read_plan
from adapters.settings.diagnostics import ConfigAdvice, Diagnostics, SettingsError
from adapters.settings.includes import read_merged
from adapters.settings.pages import PagesConfig
from adapters.settings.proxies import Network
from adapters.settings.resolve import (
    pages_of,
    resolve_all,
    resolve_routes,
    resolved_password,
    route_of,
    skipped_of,
    unresolved_of,
)
from adapters.settings.routes import RouteConfig, SkippedRoute, UnresolvedKey
from adapters.settings.service import ChildrenConfig, LogConfig, ServerConfig
from adapters.settings.store_url import StoreConfig
from domain.application.limits import Limits


@frozen(kw_only=True)
class Settings:
    """A whole configuration, checked: what is served, what is not and why, and how.

    `disabled` has the ids of routes that are switched off, alone or with the plugin. `skipped` are
    those none of whose secrets could be resolved, `unresolved` all keys without their secret.
    `advice` tells what works but should not stay.
    `secret_files` are read for secrets, keys among them.
    `core_dumps` lets a crash write the process's memory, with its secrets, to a file.
    """

    file: Path
    routes: tuple[RouteConfig, ...]
    skipped: tuple[SkippedRoute, ...]
    unresolved: tuple[UnresolvedKey, ...]
    disabled: tuple[str, ...]
    advice: tuple[ConfigAdvice, ...]
    trusted_proxies: tuple[Network, ...]
    store: StoreConfig
    server: ServerConfig
    limits: Limits
    children: ChildrenConfig
    log: LogConfig
    pages: PagesConfig
    checkpoints: CheckpointsConfig
    kept_refusals: int
    secret_files: tuple[Path, ...]
    core_dumps: bool


def load_settings(path: Path, environ: Mapping[str, str]) -> Settings:
    """Load a configuration file and resolve its secrets; raise SettingsError with every problem.

    What it includes is read with it; relative paths start at the folder of `path` in all files.
    What the files alone show to be wrong stops the start. A secret that is missing, or that its
    provider cannot give at this moment, takes its own route out and no other.
    """
    plan, diagnostics = _plan(path, environ)
    if diagnostics.problems:
        raise SettingsError(tuple(sorted(diagnostics.problems, key=diagnostics.order)))
    return _settings(path.absolute(), plan, environ, diagnostics)


def load_store(path: Path, environ: Mapping[str, str]) -> StoreConfig:
    """Return where a configuration file has its store; no secret is resolved for that.

    Raises:
        SettingsError: if the file cannot be read, or says nothing of a store that can be used.
    """
    plan, diagnostics = _plan(path, environ)
    problems = tuple(one for one in diagnostics.problems if one.path.startswith("taskflow.store"))
    if problems:
        raise SettingsError(problems)
    return plan.service.store


def _plan(path: Path, environ: Mapping[str, str]) -> tuple[Plan, Diagnostics]:
    document = read_merged(path, environ)
    if isinstance(document, tuple):
        raise SettingsError(document)
    diagnostics = Diagnostics(document.file, document.lines)
    folder, home = path.absolute().parent, environ.get("HOME") or None
    return read_plan(document, folder, home, diagnostics), diagnostics


def _settings(
    file: Path, plan: Plan, environ: Mapping[str, str], diagnostics: Diagnostics
) -> Settings:
    resolutions = resolve_all(plan, environ)
    resolved = resolve_routes(plan.webhooks.served, resolutions)
    pages = plan.service.pages
    advise(plan, resolved, resolved_password(pages, resolutions), diagnostics)
    return Settings(
        file=file,
        routes=tuple(route_of(route) for route in resolved if route.held),
        skipped=tuple(skipped_of(route, diagnostics) for route in resolved if not route.held),
        unresolved=tuple(key for route in resolved for key in unresolved_of(route)),
        disabled=plan.webhooks.disabled,
        advice=tuple(sorted(diagnostics.advice, key=diagnostics.order)),
        trusted_proxies=plan.trusted_proxies,
        store=plan.service.store,
        server=plan.service.server,
        limits=plan.service.limits,
        children=plan.service.children,
        log=plan.service.log,
        pages=pages_of(pages, resolutions),
        checkpoints=checkpoints_of(plan.service.checkpoints, plan.providers, environ),
        kept_refusals=plan.service.kept_refusals,
        secret_files=plan.providers.files,
        core_dumps=plan.service.core_dumps,
    )
