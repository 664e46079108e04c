"""The routes that a recording was made with: which path is whose, and which secret opens it.

Read from the recording's own `gateway.json5`, so that the deviations which depend on the
configuration (an unresolvable secret, a non-ASCII one) need no list of names.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import pyjson5
from attrs import frozen

ENVIRONMENT: Mapping[str, str] = {"ORACLE_ENV_SECRET": "env-secret-value"}
Providers: TypeAlias = Mapping[str, Mapping[str, str]]


@frozen
class Route:
    """One configured route; secret None is a reference that cannot be resolved."""

    route_id: str
    path: str
    owner: str
    secret: str | None


@frozen
class Routes:
    """The enabled routes by their path, which has no trailing slash."""

    by_path: Mapping[str, Route]

    def at(self, target: str) -> Route | None:
        """Find the route that a raw request target names: its path, a slash at most, a query."""
        path = target.partition("?")[0]
        return self.by_path.get(path) or self.by_path.get(path.removesuffix("/"))


def read(config: Path) -> Routes:
    """Read the routes of a gateway's configuration file."""
    document = pyjson5.decode(config.read_text(encoding="utf-8"))
    entries = document["plugins"]["entries"]["webhooks"]["config"]["routes"]
    providers = document["secrets"]["providers"]
    enabled = {key: entry for key, entry in entries.items() if entry.get("enabled", True)}
    found = (
        Route(
            route_id=route_id,
            path="/" + entry.get("path", f"plugins/webhooks/{route_id}").strip("/"),
            owner=entry["sessionKey"],
            secret=_secret(entry["secret"], providers, config.parent),
        )
        for route_id, entry in enabled.items()
    )
    return Routes({route.path: route for route in found})


def _secret(entry: str | Mapping[str, str], providers: Providers, folder: Path) -> str | None:
    if isinstance(entry, str):
        return entry.strip()
    if entry["source"] == "env":
        return ENVIRONMENT.get(entry["id"])
    return _pointed_at(folder / providers[entry["provider"]]["path"], entry["id"])


def _pointed_at(file: Path, pointer: str) -> str | None:
    value = json.loads(file.read_text(encoding="utf-8"))
    for key in pointer.split("/")[1:]:
        value = value.get(key, {})
    return value if isinstance(value, str) else None
