"""How a gateway runs, beside what it serves: `taskflow`, our own block of the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal, Self, TypeAlias

from attrs import evolve, field, frozen

from adapters.settings.checkpoints import CheckpointsConfig, SigningKey
from adapters.settings.limits import read_limits
from adapters.settings.nodes import Node
from adapters.settings.pages import PagesConfig
from adapters.settings.providers import Providers
from adapters.settings.proxies import TrustedProxy, read_trusted_proxies
from adapters.settings.references import SecretField
from adapters.settings.shards import FIRST, ShardConfig, read_shards
from adapters.settings.shared_limits import SharedLimitsConfig
from adapters.settings.store_url import StoreConfig
from adapters.settings.structure import (
    Between,
    HostName,
    PortNumber,
    kinds_of,
    read_member,
    read_members,
)
from domain.application.limits import Limits

_Patience: TypeAlias = Annotated[float, Between(0.1, 3600, "seconds")]
_DEFAULT_PORT: Final = 8080
_Connections: TypeAlias = Annotated[int, Between(1, 65_535)]


@frozen(kw_only=True)
class ServerConfig:
    """Where the gateway listens (port 0 picks a free one), with how much, and how patiently.

    `connections` may be open at once, `connections_per_address` of them from one address before
    they are authenticated; that is a quarter unless it is set. `head_bytes` bounds a request's
    head; a kept connection waits for its next request for `idle_seconds`, one that takes none of
    an answer is closed after `write_seconds`, or if it does not take all of it in `answer_seconds`.
    Of all answers together, `waiting_bytes` may wait for their callers. A stop gives the accepted
    requests `drain_seconds`.
    """

    host: HostName = "127.0.0.1"
    port: PortNumber = _DEFAULT_PORT
    threads: Annotated[int, Between(1, 256)] = 1
    connections: _Connections = 1024
    connections_per_address: _Connections = field()
    head_bytes: Annotated[int, Between(1024, 1 << 20)] = 16_384
    idle_seconds: _Patience = 75.0
    write_seconds: _Patience = 30.0
    answer_seconds: _Patience = 60.0
    waiting_bytes: Annotated[int, Between(1 << 20, 1 << 40)] = 64 << 20
    drain_seconds: _Patience = 30.0

    @connections_per_address.default
    def _a_quarter(self) -> int:
        return max(1, self.connections // 4)


@frozen(kw_only=True)
class AdminConfig:
    """Where operators' programs ask for the metrics; apart from the webhooks, which callers see."""

    host: HostName = "127.0.0.1"
    port: PortNumber = 9464


@frozen(kw_only=True)
class ChildrenConfig:
    """When a child task is given up: it is lost after so long without news, seen at each sweep."""

    lost_after_seconds: Annotated[float, Between(0.1, 31_536_000, "seconds")] = 300.0
    sweep_seconds: Annotated[float, Between(0.1, 86_400, "seconds")] = 20.0


@frozen(kw_only=True)
class LogConfig:
    """How much of a client's address logs and events record."""

    remote_address: Literal["full", "truncated", "none"] = "full"


KEPT_REFUSALS: Final = 100_000
"""How many refused calls are kept by default: about 31 MB."""


@frozen(kw_only=True)
class GatewayConfig:
    """How a gateway runs, as its configuration says; no secret is looked up for it.

    `shards` are all stores, of which `store` is the first.
    `secret_files` are read for secrets, keys among them.
    `core_dumps` lets a crash write the process's memory, with its secrets, to a file. Without
    `admin` nobody is shown the metrics, without `shared_limits` each gateway counts by itself.
    Their password is looked up when it is needed, as the key that signs is.
    """

    file: Path
    trusted_proxies: tuple[TrustedProxy, ...]
    store: StoreConfig
    shards: tuple[ShardConfig, ...]
    server: ServerConfig
    limits: Limits
    children: ChildrenConfig
    log: LogConfig
    pages: PagesConfig
    checkpoints: CheckpointsConfig
    kept_refusals: int
    secret_files: tuple[Path, ...]
    core_dumps: bool
    admin: AdminConfig | None
    shared_limits: SharedLimitsConfig | None
    shared_limits_password: SigningKey | None

    def of_shard(self, shard: ShardConfig) -> Self:
        """Return this with the store and the checkpoints of one of its shards.

        Those of the first are as they stand: what was one store goes on as the first of several.
        """
        is_first = shard.name == FIRST
        checkpoints = self.checkpoints if is_first else self.checkpoints.of_shard(shard.name)
        return evolve(self, store=shard.url, checkpoints=checkpoints)


_BLOCKS: Final = ("store", "server", "limits", "children", "log", "audit")
_SERVER: Final = {**kinds_of(ServerConfig), "core_dumps": bool, "admin": AdminConfig}
_AUDIT: Final[dict[str, object]] = {
    "pages": PagesConfig,
    "refusals": Annotated[int, Between(0, 10_000_000)],
    "checkpoints": str,
    "key": SecretField,
    **{
        name: kinds_of(CheckpointsConfig)[name]
        for name in ("previous_keys", "every_minutes", "origin")
    },
}


def read_gateway(root: Node, providers: Providers) -> GatewayConfig:
    """Read `taskflow` and `gateway`; relative paths start at the folder of the configuration."""
    block, diagnostics = root.at("taskflow"), root.diagnostics
    block.members(_BLOCKS)
    shards = read_shards(block.at("store"))
    server = read_members(block.at("server"), _SERVER)
    admin: AdminConfig | None = server.pop("admin", None)
    if admin is not None and 0 != admin.port == server.get("port", _DEFAULT_PORT):
        at = block.at("server").at("admin").at("port")
        at.refuse("another port than that of the webhooks", "the same")
    audit = read_members(block.at("audit"), _AUDIT)
    limits, shared = read_limits(block.at("limits"))
    pages: PagesConfig = audit.pop("pages", PagesConfig())
    key = audit.pop("key", None)
    password = None if shared is None else shared.password
    for secret in filter(None, (pages.password, key, password)):
        providers.check(secret, diagnostics)
    return GatewayConfig(
        file=Path(diagnostics.file).absolute(),
        trusted_proxies=read_trusted_proxies(root),
        store=shards[0].url,
        shards=shards,
        core_dumps=server.pop("core_dumps", False),
        admin=admin,
        server=ServerConfig(**server),
        limits=limits,
        shared_limits=shared,
        shared_limits_password=None
        if password is None
        else SigningKey(block.at("limits").at("shared").at("password"), password, providers),
        children=read_member(block, "children", ChildrenConfig, ChildrenConfig()),
        log=read_member(block, "log", LogConfig, LogConfig()),
        pages=pages,
        kept_refusals=audit.pop("refusals", KEPT_REFUSALS),
        checkpoints=CheckpointsConfig(
            file=diagnostics.folder / audit.pop("checkpoints", "taskflow.checkpoints"),
            key=key and SigningKey(block.at("audit").at("key"), key, providers),
            **audit,
        ),
        secret_files=providers.files,
    )
