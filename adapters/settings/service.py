"""Our own block of the configuration, `taskflow`: how the gateway runs, beside what it serves."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, TypeAlias, cast

from attrs import frozen

from adapters.settings.checkpoints import (
    CHECKPOINT_KEYS,
    DeclaredCheckpoints,
    read_checkpoints,
)
from adapters.settings.fields import Members
from adapters.settings.limits import read_limits
from adapters.settings.pages import DeclaredPages, read_pages
from adapters.settings.providers import Providers
from adapters.settings.store_url import DEFAULT_URL, StoreConfig, parse_store_url
from domain.application.limits import Limits

_KEYS: Final = ("store", "server", "limits", "children", "log", "audit")


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

    host: str = "127.0.0.1"
    port: int = 8080
    threads: int = 16
    connections: int = 1024
    connections_per_address: int = 256
    head_bytes: int = 16_384
    idle_seconds: float = 75.0
    write_seconds: float = 30.0
    answer_seconds: float = 60.0
    waiting_bytes: int = 64 << 20
    drain_seconds: float = 30.0


@frozen(kw_only=True)
class ChildrenConfig:
    """When a child task is given up: it is lost after so long without news, seen at each sweep."""

    lost_after_seconds: float = 300.0
    sweep_seconds: float = 20.0


RemoteAddress: TypeAlias = Literal["full", "truncated", "none"]


@frozen(kw_only=True)
class LogConfig:
    """How much of a client's address logs and events record."""

    remote_address: RemoteAddress = "full"


KEPT_REFUSALS: Final = 100_000
"""How many refused calls are kept by default: about 31 MB."""


@frozen(kw_only=True)
class Service:
    """The whole block."""

    store: StoreConfig
    server: ServerConfig
    limits: Limits
    children: ChildrenConfig
    log: LogConfig
    pages: DeclaredPages
    checkpoints: DeclaredCheckpoints
    kept_refusals: int
    core_dumps: bool


def read_service(root: Members, folder: Path, providers: Providers) -> Service:
    """Read `taskflow`; a store's relative path starts at `folder`."""
    block = root.object("taskflow", _KEYS)
    server = block.object("server", _SERVER_KEYS)
    audit = block.object("audit", ("pages", "refusals", *CHECKPOINT_KEYS))
    return Service(
        store=_store(block.object("store", ("url",)), folder),
        server=_server(server),
        limits=read_limits(block),
        children=_children(block.object("children", ("lostAfterSeconds", "sweepSeconds"))),
        log=_log(block.object("log", ("remoteAddress",))),
        pages=read_pages(audit, providers),
        checkpoints=read_checkpoints(audit, folder, providers),
        kept_refusals=audit.whole_number("refusals", default=KEPT_REFUSALS, low=0, high=10_000_000),
        core_dumps=server.flag("coreDumps", default=False),
    )


def _store(block: Members, folder: Path) -> StoreConfig:
    store = parse_store_url(block.text("url", default=DEFAULT_URL) or DEFAULT_URL, folder)
    if isinstance(store, StoreConfig):
        return store
    block.refuse("url", expected=store.expected, found=store.found)
    return StoreConfig(path=None)


_SERVER_KEYS: Final = (
    *("host", "port", "threads", "connections", "connectionsPerAddress", "headBytes"),
    *("idleSeconds", "writeSeconds", "answerSeconds", "drainSeconds", "waitingBytes"),
    "coreDumps",
)


def _server(block: Members) -> ServerConfig:
    default = ServerConfig()
    connections = block.whole_number("connections", default=default.connections, low=1, high=65_535)
    return ServerConfig(
        host=block.address("host", default=default.host),
        port=block.whole_number("port", default=default.port, low=0, high=65_535),
        threads=block.whole_number("threads", default=default.threads, low=1, high=256),
        connections=connections,
        connections_per_address=block.whole_number(
            "connectionsPerAddress", default=max(1, connections // 4), low=1, high=65_535
        ),
        head_bytes=block.whole_number(
            "headBytes", default=default.head_bytes, low=1024, high=1 << 20
        ),
        idle_seconds=_patience(block, "idleSeconds", default.idle_seconds),
        write_seconds=_patience(block, "writeSeconds", default.write_seconds),
        answer_seconds=_patience(block, "answerSeconds", default.answer_seconds),
        waiting_bytes=block.whole_number(
            "waitingBytes", default=default.waiting_bytes, low=1 << 20, high=1 << 40
        ),
        drain_seconds=_patience(block, "drainSeconds", default.drain_seconds),
    )


def _patience(block: Members, key: str, default: float) -> float:
    return block.seconds(key, default=default, low=0.1, high=3600)


def _children(block: Members) -> ChildrenConfig:
    default = ChildrenConfig()
    return ChildrenConfig(
        lost_after_seconds=block.seconds(
            "lostAfterSeconds", default=default.lost_after_seconds, low=0.1, high=31_536_000
        ),
        sweep_seconds=block.seconds(
            "sweepSeconds", default=default.sweep_seconds, low=0.1, high=86_400
        ),
    )


def _log(block: Members) -> LogConfig:
    address = block.choice("remoteAddress", default="full", options=("full", "truncated", "none"))
    return LogConfig(remote_address=cast("RemoteAddress", address))
