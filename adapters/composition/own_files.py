"""The files that are ours, and that nothing else may be taken for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from adapters import cli
from adapters.audit.audit_service import configured_signer
from adapters.audit.checkpoint_file import check_file
from adapters.audit.tile_file import TILES, tiles_path
from adapters.cli.own_files import OwnFiles, found_in
from adapters.composition.checkpoints import checkpoints_of
from adapters.composition.stores import database_url, settings_of
from adapters.settings import Settings
from adapters.store import StoreFault, store_files
from domain.tlog.checkpoints import Unprovable

CHECKPOINTS: Final = "taskflow.audit.checkpoints"


def own_files(config: Path | None, database: str | None, checkpoints: Path | None) -> OwnFiles:
    """Return all that an output may not be written to; what is named goes first."""
    settings = None if config is None else settings_of(config)
    own = _own(settings, _url(settings, database))
    configured = () if settings is None else (settings.checkpoints.file,)
    for file in (*configured, *(() if checkpoints is None else (checkpoints,))):
        own |= {file: "the file of checkpoints", tiles_path(file): "the tiles of the checkpoints"}
    return own


def spare_own_files(
    config: Path | None, database: str | None, checkpoints: Path | None, key: Path | None
) -> None:
    """Refuse one of our files, or what is to be one, as the file of checkpoints.

    Raises:
        CommandError: if it is one.
    """
    settings = None if config is None else settings_of(config)
    file = settings.checkpoints.file if settings and checkpoints is None else checkpoints
    own = _own(settings, _url(settings, database))
    own |= {} if key is None else {key: "the signing key"}
    if file is not None and (fault := _misplaced(file, own)):
        place = f"{config}: {CHECKPOINTS}: " if checkpoints is None else ""
        raise cli.CommandError(f"{place}{fault}")


def misplaced_checkpoints(settings: Settings, url: str) -> str | None:
    """Say why the file of checkpoints of a gateway over a store is no such file, or None."""
    file = settings.checkpoints.file
    if fault := _misplaced(file, _own(settings, url)):
        return fault
    try:
        check_file(file, _origin(settings))
    except Unprovable as error:
        return str(error)
    except OSError:
        return None  # it is not known to be anything else: the gateway warns that it cannot sign
    return None


def _url(settings: Settings | None, database: str | None) -> str:
    if database is None and settings is not None:
        return settings.store.url
    return database_url(None, database)


def _own(settings: Settings | None, url: str) -> dict[Path, str]:
    try:
        own = dict(store_files(url))
    except StoreFault as error:
        raise cli.CommandError(str(error)) from error
    if settings is not None:
        own |= {settings.file: "the configuration"}
        own |= dict.fromkeys(settings.secret_files, "a file of secrets")
    return own


def _misplaced(file: Path, own: OwnFiles) -> str | None:
    if what := found_in(own, file):
        return f"{file} is {what}: name another file for the checkpoints"
    if what := found_in(own, tiles_path(file)):
        return f"{tiles_path(file)} is {what}: name another file for the checkpoints"
    others = Path(str(file).removesuffix(TILES))
    if others != file and os.path.lexists(others):
        return f"{file} is the tiles of {others}: name another file for the checkpoints"
    return None


def _origin(settings: Settings) -> str | None:
    try:
        return configured_signer(checkpoints_of(settings)).origin
    except Unprovable:
        return settings.checkpoints.origin
