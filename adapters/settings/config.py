"""From a configuration file to what it says: read and checked, before any secret is looked up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from attrs import frozen

from adapters.settings.diagnostics import ConfigProblem, Diagnostics, SettingsError
from adapters.settings.gateway_config import GatewayConfig, read_gateway
from adapters.settings.includes import INCLUDE, MergedDocument, read_merged
from adapters.settings.mapping_config import CheckMap, unchecked
from adapters.settings.nodes import Node, bare
from adapters.settings.providers import Providers, read_providers
from adapters.settings.references import DeclaredSecret
from adapters.settings.routes_config import Webhooks, read_webhooks
from adapters.settings.store_url import StoreConfig


@frozen
class Config:
    """What is to be served, from which secrets, and how; `files` say so. It holds no secret."""

    gateway: GatewayConfig
    webhooks: Webhooks
    providers: Providers
    files: tuple[str, ...]
    diagnostics: Diagnostics

    @property
    def secrets(self) -> tuple[DeclaredSecret, ...]:
        """Return the secrets of the routes that are to be served, and the pages' password."""
        keys = (key.secret for route in self.webhooks.served for key in route.declared)
        password = self.gateway.pages.password
        return (*keys, *(() if password is None else (password,)))


def read_config(path: Path, environ: Mapping[str, str], check_map: CheckMap = unchecked) -> Config:
    """Read a configuration file and what it includes; raise SettingsError with every problem.

    No secret is looked up, no command is run. Of the environment, only the home folder and the
    folders of included files are read. Relative paths start at the folder of `path` in all files.
    """
    config = _read(path, environ, check_map)
    if problems := config.diagnostics.problems:
        raise SettingsError(tuple(sorted(problems, key=config.diagnostics.order)))
    return config


def read_store_config(path: Path, environ: Mapping[str, str]) -> StoreConfig:
    """Return where a configuration file has its store, whatever else is wrong with it.

    Raises:
        SettingsError: if the file cannot be read, or says nothing of a store that can be used.
    """
    config = _read(path, environ)
    problems = [one for one in config.diagnostics.problems if _is_on_store(one)]
    if problems:
        raise SettingsError(tuple(problems))
    return config.gateway.store


def _is_on_store(problem: ConfigProblem) -> bool:
    """Return whether something is wrong with the store, around it, or with how that is spelt."""
    return bool(_ON_STORE.match(bare(problem.path)))


_ON_STORE: Final = re.compile(r"$|taskflow(?!server|limits|children|log|audit)")


def _read(path: Path, environ: Mapping[str, str], check_map: CheckMap = unchecked) -> Config:
    document = read_merged(path, environ)
    if not isinstance(document, MergedDocument):
        raise SettingsError(document)
    return config_of(document, environ.get("HOME") or None, check_map)


def config_of(
    document: MergedDocument, home: str | None, check_map: CheckMap = unchecked
) -> Config:
    """Return what a document says; with problems noted in it, it is not to be used."""
    diagnostics = Diagnostics(document.file, document.lines, home)
    diagnostics.problems.extend(document.repeats)
    root = Node((), document.value, diagnostics)
    root.refuse_misspelt("gateway", "secrets", "plugins", "taskflow", INCLUDE)
    providers = read_providers(root)
    gateway = read_gateway(root, providers)
    webhooks = read_webhooks(root, providers, gateway.limits, check_map)
    return Config(gateway, webhooks, providers, document.files, diagnostics)
