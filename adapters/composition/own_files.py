"""The files that are ours, and that nothing else may be taken for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from adapters import cli
from adapters.audit.checkpoint_file import check_file
from adapters.audit.tile_file import TILES, tiles_path
from adapters.cli.own_files import OwnFiles, found_in
from adapters.composition.checkpoints import Signing, checkpoints_as_configured
from adapters.composition.stores import database_url, gateway_of
from adapters.settings import FIRST, GatewayConfig
from adapters.store import StoreFault, store_files
from domain.tlog.checkpoints import Unprovable

CHECKPOINTS: Final = "taskflow.audit.checkpoints"


def own_files(config: Path | None, database: str | None, checkpoints: Path | None) -> OwnFiles:
    """Return all that an output may not be written to; what is named goes first."""
    gateway = None if config is None else gateway_of(config)
    own = _own(gateway, _url(gateway, database))
    of_shards = () if gateway is None else map(gateway.of_shard, gateway.shards)
    configured = [shard.checkpoints.file for shard in of_shards]
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
    gateway = None if config is None else gateway_of(config)
    file = gateway.checkpoints.file if gateway and checkpoints is None else checkpoints
    own = _own(gateway, _url(gateway, database))
    own |= {} if key is None else {key: "the signing key"}
    if file is not None and (fault := _misplaced(file, own)):
        place = f"{config}: {CHECKPOINTS}: " if checkpoints is None else ""
        raise cli.CommandError(f"{place}{fault}")


def misplaced_checkpoints(gateway: GatewayConfig, url: str, signing: Signing) -> str | None:
    """Say why the file of checkpoints of a gateway over a store is no such file, or None."""
    file = gateway.checkpoints.file
    if fault := _misplaced(file, _own(gateway, url)):
        return fault
    try:
        check_file(file, signing.signer.origin if signing.signer else _origin(gateway))
    except Unprovable as error:
        return str(error)
    except OSError:
        return None  # it is not known to be anything else: the gateway warns that it cannot sign
    return None


def misplaced_in_any(gateway: GatewayConfig, url: str, signing: Signing) -> str | None:
    """Say of any of the stores of a gateway what `misplaced_checkpoints` says.

    The first one is at a URL, and who signs it was looked up.
    """
    for shard in gateway.shards:
        each = gateway.of_shard(shard)
        store = url if shard.name == FIRST else shard.url.url
        if fault := misplaced_checkpoints(each, store, signing.of(each.checkpoints)):
            return fault
    return None


def _origin(gateway: GatewayConfig) -> str | None:
    configured = checkpoints_as_configured(gateway.checkpoints)
    return configured.origin and configured.origin_by("")


def _url(gateway: GatewayConfig | None, database: str | None) -> str:
    if database is None and gateway is not None:
        return gateway.store.url
    return database_url(None, database)


def _own(gateway: GatewayConfig | None, url: str) -> dict[Path, str]:
    others = () if gateway is None else (shard.url.url for shard in gateway.shards[1:])
    try:
        own = {file: what for each in (url, *others) for file, what in store_files(each).items()}
    except StoreFault as error:
        raise cli.CommandError(str(error)) from error
    if gateway is not None:
        own |= {gateway.file: "the configuration"}
        own |= dict.fromkeys(gateway.secret_files, "a file of secrets")
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
