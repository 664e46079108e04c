"""The stores of a configuration, as the commands see them: by their names, each with its log."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from adapters import cli
from adapters.audit.audit_service import AuditService, Configured
from adapters.composition.checkpoints import checkpoints_as_configured, read_key_file
from adapters.composition.stores import gateway_of
from adapters.settings import GatewayConfig


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
