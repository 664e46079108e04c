"""What the user asks for: one value for each command, its fields named as the options are."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from attrs import frozen

from adapters.cli.audit.ask import AuditAsk
from domain.flow.ids import FlowId, Owner
from domain.flow.status import FlowStatus


@frozen(kw_only=True)
class Serve:
    """Serve the gateway."""

    config: Path
    database: str | None
    host: str | None
    port: int | None
    wait: int
    json: bool


@frozen(kw_only=True)
class Check:
    """Say what a configuration would serve."""

    config: Path
    strict: bool
    json: bool


@frozen(kw_only=True)
class Reload:
    """Have a running gateway read its settings again."""

    config: Path | None
    database: str | None


@frozen(kw_only=True)
class ListFlows:
    """List flows, newest first."""

    config: Path | None
    database: str | None
    owner: Owner | None
    status: FlowStatus | None
    limit: int
    cursor: int | None
    json: bool


@frozen(kw_only=True)
class ShowFlow:
    """Show one flow, as it is or as of a version."""

    config: Path | None
    database: str | None
    flow: FlowId
    version: int | None
    history: bool
    json: bool


@frozen(kw_only=True)
class CancelFlow:
    """Cancel one flow; `give_up_children` does not wait for the end of those that are active."""

    config: Path | None
    database: str | None
    flow: FlowId
    give_up_children: bool
    json: bool


@frozen(kw_only=True)
class SweepFlows:
    """Give up silent children; `lost_after` is in seconds, None leaves it to the configuration."""

    config: Path | None
    database: str | None
    lost_after: int | None
    json: bool


@frozen(kw_only=True)
class RebuildStore:
    """Make the derived rows of a store again."""

    config: Path | None
    database: str | None
    json: bool


Ask: TypeAlias = (
    Serve
    | Check
    | Reload
    | ListFlows
    | ShowFlow
    | CancelFlow
    | SweepFlows
    | RebuildStore
    | AuditAsk
)
