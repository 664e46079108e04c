"""Writes configurations to real files and loads them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from adapters.settings import RouteConfig, Settings, SettingsError, load_settings

SECRET = "correct horse battery staple"
ROUTES = "plugins.entries.webhooks.config.routes"


def written(folder: Path, document: object) -> Path:
    """Write a configuration, given as text or as a value; return its path."""
    path = folder / "gateway.json5"
    text = document if isinstance(document, str) else json.dumps(document, indent=1)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def loaded(folder: Path, document: object, environ: Mapping[str, str] | None = None) -> Settings:
    """Load a configuration that has no problems."""
    return load_settings(written(folder, document), environ or {})


def refused(folder: Path, document: object) -> list[str]:
    """Load a configuration that is refused; return its problems, without file and line."""
    path = written(folder, document)
    with pytest.raises(SettingsError) as caught:
        load_settings(path, {})
    return [str(problem).partition(": ")[2] for problem in caught.value.problems]


def refused_lines(folder: Path, document: object) -> list[str]:
    """Load a configuration that is refused; return its problems as they are printed."""
    path = written(folder, document)
    with pytest.raises(SettingsError) as caught:
        load_settings(path, {})
    return str(caught.value).replace(f"{folder}/", "").split("\n")


def with_routes(routes: Mapping[str, object], **others: object) -> dict[str, object]:
    """Return a configuration with some routes, and other top-level blocks."""
    return {"plugins": {"entries": {"webhooks": {"config": {"routes": routes}}}}, **others}


def route(**fields: object) -> dict[str, object]:
    """Return a route with what it must have, and some fields more."""
    return {"sessionKey": "agent:main:main", "secret": SECRET, **fields}


def one_route(**fields: object) -> dict[str, object]:
    """Return a configuration with one route, `zapier`."""
    return with_routes({"zapier": route(**fields)})


def the_route(settings: Settings) -> RouteConfig:
    """Return the only route that is served."""
    (only,) = settings.routes
    return only


def advice_of(settings: Settings) -> list[str]:
    """Return the advice as `path: sentence`, without what every test's inline secret gets."""
    lines = (f"{advice.path}: {advice.sentence}" for advice in settings.advice)
    return [line for line in lines if "is written here" not in line]


def reason(settings: Settings) -> str:
    """Return why the one route is skipped."""
    (skipped,) = settings.skipped
    return skipped.reason
