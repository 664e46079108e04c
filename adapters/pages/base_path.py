"""Where the pages stand below a proxy: the path that goes before each of their addresses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Final

from attrs import frozen
from falcon import Request, Response

from adapters.pages.dependencies import PageDependencies

# APPSEC: what is put before addresses must lead nowhere else: no `//`, no dots alone, no quotes.
_PREFIX: Final = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9_~.-]*)+", re.ASCII)
_MOST: Final = 200


@frozen
class ShardChoice:
    """The store whose page an answer is, where there are several, and all names."""

    name: str
    names: Sequence[str]


_BASE: Final[ContextVar[str]] = ContextVar("base_path", default="")
_SHARD: Final[ContextVar[ShardChoice | None]] = ContextVar("shard", default=None)


def based(path: str) -> str:
    """Return the address of a path, below the base path of this answer and its store's name."""
    choice = _SHARD.get()
    return file_address(path) if choice is None else shard_address(choice.name, path)


def shard_address(name: str, path: str) -> str:
    """Return the address of a page of some store."""
    return file_address(f"/shards/{name}{path}")


def file_address(path: str) -> str:
    """Return the address of what is of no store: a file, or the first page."""
    return _BASE.get() + path


def chosen_shard() -> ShardChoice | None:
    """Return the choice of a store that the answer shows; None where there is one store."""
    return _SHARD.get()


def choose_shard(choice: ShardChoice) -> None:
    """Have the answer that is made in this thread be one of a store."""
    _SHARD.set(choice)


def below(base: str) -> None:
    """Have the addresses of the answer that is made in this thread stand below a path."""
    _BASE.set(base)
    _SHARD.set(None)


@frozen
class BasePath:
    """Falcon's middleware: reads where the pages stand, and takes it off the path.

    A trusted proxy's `X-Forwarded-Prefix` goes before what is configured, if it is a plain path.
    Proxies may pass the prefix on in the path or take it off.
    """

    given: PageDependencies

    def process_request(self, req: Request, _: Response) -> None:
        """Read it, and forget that of the answer before in this thread."""
        base = self._forwarded(req) or self.given.base_path
        below(base)
        if base and (req.path == base or req.path.startswith(f"{base}/")):
            req.path = req.path.removeprefix(base) or "/"

    def _forwarded(self, req: Request) -> str:
        prefix = (req.get_header("X-Forwarded-Prefix") or "").removesuffix("/")
        is_plain = len(prefix) <= _MOST and _PREFIX.fullmatch(prefix)
        return prefix if is_plain and self.given.trusts(req.remote_addr or "") else ""
