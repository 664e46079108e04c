"""Where the events are kept, as a URL says it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from attrs import frozen

from adapters.settings.nodes import Misfit, Node
from adapters.settings.structure import text, trimmed_line

MEMORY_URL: Final = "sqlite://:memory:"
DEFAULT_URL: Final = "sqlite:///taskflow.db"

_SQLITE: Final = "sqlite:///"
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*)://")
_NO_UTF_8: Final = re.compile("[\ud800-\udfff]")  # as Python shows such bytes of a name
_POSTGRES: Final = re.compile(r"postgres(?:ql)?://")
_DATABASE: Final = re.compile(
    r"(?:(?P<user>[^/?#@:]+)(?::(?P<password>[^/?#@]*))?@)?"
    r"(?P<hosts>[^/?#@]*)/(?P<name>[^/?#]+)(?:\?(?P<options>[^?#]*))?"
)
_OPTIONS: Final = frozenset(
    {
        *("host", "port", "service", "passfile", "application_name"),
        *("target_session_attrs", "load_balance_hosts", "keepalives", "keepalives_idle"),
        *("pooler", "sslmode", "sslrootcert", "sslcert", "sslkey", "channel_binding", "gssencmode"),
    }
)
"""What may stand behind a question mark. NOTE: time-outs are ours, or are set on the role."""


@frozen
class StoreConfig:
    """One SQLite database: the absolute path of its file, or None to keep it in memory.

    Or, if it is given, a database of PostgreSQL by its URL, which holds no password.
    """

    path: Path | None
    database: str | None = None

    @property
    def url(self) -> str:
        """Return the store's URL, the same from whichever folder it is read."""
        if self.database is not None:
            return self.database
        return MEMORY_URL if self.path is None else f"{_SQLITE}{self.path}"

    @property
    def is_kept(self) -> bool:
        """Whether anything outlives the process."""
        return self.path is not None or self.database is not None


def parse_store_url(url: str, folder: Path) -> StoreConfig:
    """Read a store's URL: `sqlite:///relative.db`, seen from `folder`, or `sqlite:////absolute.db`.

    `sqlite://:memory:` is for tests: nothing outlives the process. `postgresql://USER@HOST/NAME` is
    a database of PostgreSQL; its password comes from `PGPASSWORD` or a file of passwords.

    Raises:
        Misfit: if it is none. APPSEC: it does not show the URL, as that may hold a password.
    """
    url = trimmed_line(url)
    if url == MEMORY_URL:
        return StoreConfig(path=None)
    if _POSTGRES.match(url):
        return StoreConfig(path=None, database=_database(_POSTGRES.sub("", url, count=1)))
    if not url.startswith(_SQLITE):
        raise Misfit(_EXPECTED, _other(url))
    if fault := _path_fault(url.removeprefix(_SQLITE)):
        raise Misfit(_EXPECTED, fault)
    # NOTE: realpath, as Path.resolve raises on a loop of links before Python 3.13.
    path = os.path.realpath(folder / url.removeprefix(_SQLITE))
    if _NO_UTF_8.search(path):
        raise Misfit(_EXPECTED, "a file or folder whose name is not UTF-8")
    return StoreConfig(path=Path(path))


def _url(node: Node) -> StoreConfig:
    return parse_store_url(text(node), node.diagnostics.folder)


StoreUrl: TypeAlias = Annotated[StoreConfig, _url]

_EXPECTED: Final = (
    "sqlite:///FILE, sqlite:////ABSOLUTE/FILE, or postgresql://USER@HOST/NAME without a password"
)


def _database(rest: str) -> str:
    parts = _DATABASE.fullmatch(rest)
    if parts is None:
        raise Misfit(_EXPECTED, "a PostgreSQL URL without a database")
    options = [each.partition("=")[0] for each in (parts["options"] or "").split("&") if each]
    # APPSEC: a URL is shown by commands and in logs, and by the system in the list of processes.
    if parts["password"] is not None or "password" in options:
        raise Misfit(
            _EXPECTED, "a PostgreSQL URL with a password: put that into PGPASSWORD or PGPASSFILE"
        )
    if "pooler" in options and "pooler=transaction" not in rest.partition("?")[2].split("&"):
        raise Misfit(_EXPECTED, "a PostgreSQL URL with a pooler other than pooler=transaction")
    for option in options:
        if option not in _OPTIONS:
            raise Misfit(_EXPECTED, "a PostgreSQL URL with an option that is not served")
    return f"postgresql://{rest}"


def _other(url: str) -> str:
    scheme = _SCHEME.match(url)
    if scheme is None:
        return "something that is no such URL"
    if url.startswith("sqlite://"):
        return "a URL with two slashes before the file"
    return f"a URL of {scheme[1]}"


def _path_fault(path: str) -> str | None:
    if not path or path.endswith("/"):
        return "a URL without a file"
    if path == ":memory:":
        return f"another spelling of {MEMORY_URL}"
    if "?" in path or "#" in path:
        return "a URL with a query or a fragment"
    return None
