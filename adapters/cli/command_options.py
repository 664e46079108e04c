"""The options of the commands that the composition root carries out."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from attrs import frozen

from adapters.cli.options import (
    CONFIG,
    OptionGroup,
    checkpoints_option,
    flag,
    host_option,
    log_flag,
    option,
    port_option,
    public_keys_option,
)
from adapters.cli.parser import number_within

_MOST_WAIT: Final = 3_600
_MOST_DESCRIPTORS: Final = 65_535


WHICH_STORE: Final = OptionGroup(
    "which store",
    """\
One of these is needed; if both are given, URL it is. URL is
sqlite:///relative.db (seen from here) or sqlite:////absolute.db.""",
)


@frozen(kw_only=True)
class ServeOptions:
    """How the gateway is to be served; what is not None goes before the configuration.

    A store that another process writes to is waited for, `wait` seconds at most.
    """

    config: Path = option("FILE", CONFIG, read=Path, required=True)
    database: str | None = option("URL", "where the events are kept, instead of what FILE says")
    host: str | None = host_option()
    port: int | None = port_option()
    socket: int | None = option(
        "FD",
        "the descriptor of a socket that listens already, instead of --host and --port",
        read=number_within(0, _MOST_DESCRIPTORS),
        default=None,
    )
    wait: int = option(
        "SECONDS",
        "how long to wait for a store that another gateway still writes to (default: 0)",
        read=number_within(0, _MOST_WAIT),
        default=0,
    )
    json: bool = log_flag()


@frozen(kw_only=True)
class StoreOptions:
    """A store, which its configuration or its URL names; the URL goes first."""

    config: Path | None = option("FILE", CONFIG, read=Path, group=WHICH_STORE)
    database: str | None = option("URL", "the store itself", group=WHICH_STORE)
    shard: str | None = option(
        "NAME", "one of the stores of FILE, where it has several", group=WHICH_STORE, default=None
    )


@frozen(kw_only=True)
class PagesOptions(StoreOptions):
    """How the auditor's pages are to be served; what is not None goes before the configuration."""

    host: str | None = host_option()
    port: int | None = port_option()
    checkpoints: Path | None = checkpoints_option()
    public_keys: tuple[str, ...] = public_keys_option()
    json: bool = log_flag()


@frozen(kw_only=True)
class ExplainOptions:
    """A payload, the headers that came with it, and the route that it is for."""

    config: Path = option("FILE", CONFIG, read=Path, required=True)
    route: str = option("ROUTE", "the id of the route that it is for", required=True)
    payload: Path = option("FILE", "the body, as it was sent", read=Path, required=True)
    headers: Path | None = option("FILE", "its headers, one a line", read=Path)
    authenticate: bool = flag("look up the route's secrets, and see who asks")
