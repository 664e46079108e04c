"""What `check` reports of a configuration; of keys it names the ids, so no secret can be in it."""

from __future__ import annotations

from typing import TypeAlias

from attrs import frozen

from domain.application.limits import RouteLimits
from domain.flow.ids import KeyId, Owner, RouteId
from domain.flow.values import Timestamp


@frozen
class KeyPeriod:
    """From when on a key is valid, and from when on no more."""

    key_id: KeyId
    not_before: Timestamp | None
    not_after: Timestamp | None


@frozen
class KeyScheme:
    """By which scheme requests are signed with a key."""

    key_id: KeyId
    scheme: str


@frozen
class ActionKeys:
    """An action, and the keys that may use it, each as its route and its id."""

    action: str
    keys: tuple[str, ...]


@frozen(kw_only=True)
class ServedRoute:
    """A route that would be served: where, for which owner, with which keys.

    `key_times` are those of the keys that begin or end, `key_schemes` those of keys that sign; None
    where none does. `separate_approver` is None where it is not wanted.
    """

    route_id: RouteId
    path: str
    owner: Owner
    controller_id: str
    key_ids: tuple[str, ...]
    limits: RouteLimits
    key_times: tuple[KeyPeriod, ...] | None = None
    key_schemes: tuple[KeyScheme, ...] | None = None
    separate_approver: bool | None = None


@frozen(kw_only=True)
class UnservedRoute:
    """A route that would be left out, and why."""

    route_id: RouteId
    path: str
    reason: str


@frozen(kw_only=True)
class ConfigurationFinding:
    """Something about one field: its path, empty for the whole file, and its line if known.

    `file` is the included file that it stands in, or None for the configuration itself.
    """

    field: str
    line: int | None = None
    sentence: str
    file: str | None = None


@frozen
class FurtherStore:
    """A store beside the first one, and whether it is open to new owners or closed."""

    name: str
    url: str
    new_owners: str


@frozen(kw_only=True)
class GatewayOptions:
    """How the gateway would run."""

    store: str
    host: str
    port: int
    metrics: str | None
    shared_limits: str | None
    threads: int
    connections: int
    drain_seconds: float
    lost_after_seconds: float
    sweep_seconds: float
    remote_address: str
    trusted_proxies: tuple[str, ...]
    checkpoints: str
    checkpoint_minutes: float
    public_key: str | None
    shards: tuple[FurtherStore, ...] | None = None


@frozen(kw_only=True)
class Startable:
    """A configuration that the gateway would start with; `disabled` are route ids.

    `allowed` says which keys may use each action, None where every key may use all.
    """

    routes: tuple[ServedRoute, ...]
    skipped: tuple[UnservedRoute, ...]
    disabled: tuple[str, ...]
    advice: tuple[ConfigurationFinding, ...]
    options: GatewayOptions
    allowed: tuple[ActionKeys, ...] | None = None


@frozen
class Unstartable:
    """A configuration that the gateway would refuse, and each reason."""

    problems: tuple[ConfigurationFinding, ...]


CheckReport: TypeAlias = Startable | Unstartable
