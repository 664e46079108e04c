"""The stores over which the owners are divided: that of `taskflow.store.url`, and further ones."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, TypeAlias

from attrs import frozen

from adapters.settings.nodes import Node
from adapters.settings.store_url import DEFAULT_URL, StoreConfig, StoreUrl
from adapters.settings.structure import Each, Matching, read, read_members

FIRST: Final = "first"
"""The name of the store of `taskflow.store.url`."""

_MOST_SHARDS: Final = 1000

_Name: TypeAlias = Annotated[
    str,
    Matching(
        re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?"),
        "a name of at most 32 of a-z, 0-9 and - within it",
        "another name",
    ),
]


@frozen(kw_only=True)
class ShardConfig:
    """A store that has owners of its own; one that is closed gets no new ones."""

    name: _Name
    url: StoreUrl
    closed: bool = False


_MEMBERS: Final[dict[str, object]] = {
    "url": StoreUrl,
    "closed": bool,
    "shards": Annotated[
        tuple[ShardConfig, ...], Each(ShardConfig, "shards: {name, url}", _MOST_SHARDS - 1)
    ],
}


def read_shards(node: Node) -> tuple[ShardConfig, ...]:
    """Read `taskflow.store`: its own store, and then its further ones."""
    found: dict[str, Any] = read_members(node, _MEMBERS)
    default = Node((*node.path, "url"), DEFAULT_URL, node.diagnostics)
    url: StoreConfig = found.get("url") or read(default, StoreUrl)
    first = ShardConfig(name=FIRST, url=url, closed=found.get("closed", False))
    shards = (first, *found.get("shards", ()))
    _refuse_mixed(node, shards)
    return shards


def _refuse_mixed(node: Node, shards: tuple[ShardConfig, ...]) -> None:
    if len(shards) == 1:
        return
    listed = node.at("shards")
    if len({shard.name for shard in shards}) < len(shards):
        listed.refuse(f"names that differ, and none of them `{FIRST}`", "one of them twice")
    if len({shard.url for shard in shards}) < len(shards):
        listed.refuse("stores that differ, also from that of taskflow.store.url", "one twice")
    if not all(shard.url.is_kept for shard in shards):
        listed.refuse("stores that are kept", "one in memory")
    if all(shard.closed for shard in shards):
        node.at("closed").refuse("a store that takes new owners", "all of them closed")
