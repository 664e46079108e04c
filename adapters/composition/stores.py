"""Stores, opened as each reader or writer of them wants."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

from adapters import cli
from adapters.settings import Settings, SettingsError, load_settings
from adapters.store import (
    EventSourcedStore,
    StoreAuditLog,
    StoreFault,
    Undecodable,
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


def settings_of(config: Path) -> Settings:
    """Return the settings of a configuration, or say what is wrong with it."""
    try:
        return load_settings(config, os.environ)
    except SettingsError as error:
        raise cli.CommandError(str(error)) from error


def database_url(config: Path | None, database: str | None) -> str:
    """Return which store is meant: the one that is named, or else that of the configuration."""
    if database is not None:
        return database
    if config is None:
        raise cli.CommandError("say which store: --config FILE or --database URL")
    return settings_of(config).store.url


def read_store(
    config: Path | None, database: str | None
) -> AbstractContextManager[EventSourcedStore]:
    """Open a store to look at, beside whoever writes to it."""
    return opened(open_for_reading, database_url(config, database))


@contextmanager
def open_evidence(config: Path | None, database: str | None) -> Iterator[AuditLog]:
    """Open a store for an auditor, read-only, beside whoever writes to it."""
    with read_store(config, database) as store:
        yield StoreAuditLog(store)


@contextmanager
def open_refusals(config: Path | None, database: str | None) -> Iterator[RefusalLog]:
    """Open what callers of a store's gateway were refused, beside whoever writes it."""
    url = database_url(config, database)
    with opened(open_for_reading, url):
        yield read_refusals(url)


@contextmanager
def open_configurations(config: Path | None, database: str | None) -> Iterator[ConfigurationLog]:
    """Open the changes of a gateway's configuration, beside whoever writes them."""
    url = database_url(config, database)
    with opened(open_for_reading, url):
        yield read_configurations(url)


@contextmanager
def opened(open_store: Callable[[str], EventSourcedStore], url: str) -> Iterator[EventSourcedStore]:
    """Open a store for as long as the context lasts; whatever is wrong with it is told."""
    try:
        store = open_store(url)
        try:
            yield store
        finally:
            store.close()
    except (StoreUnavailable, *DAMAGES) as error:
        raise cli.CommandError(str(error)) from error
