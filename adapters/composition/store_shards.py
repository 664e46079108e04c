"""The stores of a configuration, as the commands see them: by their names, each with its log."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from adapters import cli
from adapters.audit.audit_service import AuditService, Configured
from adapters.composition.checkpoints import checkpoints_as_configured, read_key_file
from adapters.composition.stores import gateway_of, opened
from adapters.settings import GatewayConfig
from adapters.store import open_for_reading, pinned_shard
from domain.flow.ids import Owner


def store_shards(config: Path) -> Sequence[cli.StoreShard]:
    """Return all stores of a configuration, the first of them first."""
    gateway = gateway_of(config)
    of_shards = ((shard.name, gateway.of_shard(shard)) for shard in gateway.shards)
    return [
        cli.StoreShard(
            name=name,
            url=each.store.url,
            proving=AuditService(partial(_configured, each), read_key_file),
        )
        for name, each in of_shards
    ]


def _configured(gateway: GatewayConfig, _: Path) -> Configured:
    return checkpoints_as_configured(gateway.checkpoints)


def url_of_owner(gateway: GatewayConfig, owner: Owner) -> str:
    """Return the URL of the store that an owner's flows are in; one that is in none has the first.

    Raises:
        CommandError: if the first store of several cannot be read, which knows that.
    """
    if len(gateway.shards) == 1:
        return gateway.store.url
    with opened(open_for_reading, gateway.store.url) as first:
        name = pinned_shard(first, owner)
    named = (shard.url.url for shard in gateway.shards if shard.name == name)
    return next(named, gateway.store.url)
