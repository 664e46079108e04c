"""Stores, opened as each reader or writer of them wants."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

from adapters import cli
from adapters.composition.mappings import check_map
from adapters.settings import (
    Config,
    GatewayConfig,
    Misfit,
    Settings,
    SettingsError,
    parse_store_url,
    read_config,
    resolve,
)
from adapters.store import (
    EventSourcedStore,
    StoreAuditLog,
    StoreFault,
    Undecodable,
    migrate,
    open_for_reading,
    read_configurations,
    read_refusals,
)
from domain.application.ports import StoreUnavailable
from domain.flow.evolve import BrokenHistory
from domain.history.audit_log import AuditLog
from domain.history.configuration import ConfigurationLog
from domain.history.refused_requests import RefusalLog

DAMAGES: Final = (StoreFault, BrokenHistory, Undecodable)
"""What a store raises that holds something else than we wrote."""


def config_of(config: Path) -> Config:
    """Read a configuration without its secrets, or say what is wrong with it."""
    try:
        return read_config(config, os.environ, check_map)
    except SettingsError as error:
        raise cli.CommandError(str(error)) from error


def gateway_of(config: Path) -> GatewayConfig:
    """Return how the gateway of a configuration runs."""
    return config_of(config).gateway


def settings_of(config: Path) -> Settings:
    """Return a configuration with its secrets, or say what is wrong with it."""
    return resolve(config_of(config), os.environ)


def database_url(config: Path | None, database: str | None) -> str:
    """Return the URL of the store that is named, or else of that of the configuration."""
    if database is not None:
        return named_url(database)
    if config is None:
        raise cli.CommandError("say which store: --config FILE or --database URL")
    return gateway_of(config).store.url


def named_url(database: str, option: str = "--database") -> str:
    """Return the URL of a store that an option names; its relative path starts here.

    Raises:
        CommandError: if it is none that a configuration may have either.
    """
    try:
        return parse_store_url(database, Path.cwd()).url
    except Misfit as misfit:
        raise cli.CommandError(f"{option}: {misfit}") from misfit


def read_store(
    config: Path | None, database: str | None
) -> AbstractContextManager[EventSourcedStore]:
    """Open a store to look at, beside the process that writes to it."""
    return opened(open_for_reading, database_url(config, database))


@contextmanager
def open_audit_log(config: Path | None, database: str | None) -> Iterator[AuditLog]:
    """Open a store for an auditor, read-only, beside the process that writes to it."""
    with read_store(config, database) as store:
        yield StoreAuditLog(store)


@contextmanager
def open_refusals(config: Path | None, database: str | None) -> Iterator[RefusalLog]:
    """Open what callers of a store's gateway were refused, beside the gateway that writes it."""
    url = database_url(config, database)
    with opened(open_for_reading, url):
        yield read_refusals(url)


@contextmanager
def open_configurations(config: Path | None, database: str | None) -> Iterator[ConfigurationLog]:
    """Open the changes of a gateway's configuration, beside the gateway that writes them."""
    url = database_url(config, database)
    with opened(open_for_reading, url):
        yield read_configurations(url)


def migrate_store(config: Path | None, database: str | None) -> tuple[int, int]:
    """Make or upgrade the tables of a store, and return its versions before and after."""
    try:
        return migrate(database_url(config, database))
    except StoreFault as error:
        raise cli.CommandError(str(error)) from error


@contextmanager
def opened(open_store: Callable[[str], EventSourcedStore], url: str) -> Iterator[EventSourcedStore]:
    """Open a store for as long as the context lasts; a fault of it is a `CommandError`."""
    try:
        store = open_store(url)
        try:
            yield store
        finally:
            store.close()
    except (StoreUnavailable, *DAMAGES) as error:
        raise cli.CommandError(str(error)) from error
