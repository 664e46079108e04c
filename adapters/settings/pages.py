"""The auditor's pages: where they are served, and to whom, apart from the gateway and its keys."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final

from attrs import field, frozen

from adapters.settings.fields import Members
from adapters.settings.providers import Providers
from adapters.settings.references import SecretRef, read_secret_input, refuse_placeholder
from adapters.settings.routes_config import DeclaredKey
from adapters.settings.secret import Secret
from adapters.settings.secret_text import Unresolved
from domain.flow.ids import KeyId

_BASE_PATH: Final = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9_~.-]*)+", re.ASCII)
_KEYS: Final = ("host", "port", "user", "password", "basePath")


@frozen(kw_only=True)
class DeclaredPages:
    """The block `taskflow.audit.pages` as it is written."""

    host: str = "127.0.0.1"
    port: int = 8081
    user: str = "auditor"
    base_path: str = ""
    password: DeclaredKey | None = None


@frozen(kw_only=True)
class PagesConfig:
    """Where the pages listen, below which path a proxy shows them, and who may see them.

    `password` is None where none is configured; one that could not be resolved says why.
    """

    host: str
    port: int
    user: str
    base_path: str = ""
    password: Secret | Unresolved | None = field(default=None)

    def admits(self, user: str, password: str) -> bool:
        """Return whether somebody presented both the user and the password, in constant time.

        Both are as WSGI hands them over: bytes decoded as Latin-1.
        """
        if not isinstance(self.password, Secret):
            return False
        # APPSEC: both are compared before either result is looked at.
        results = (_is_same(user, self.user), self.password.matches(password))
        return all(results)


def _is_same(presented: str, user: str) -> bool:
    octets = presented.encode("latin-1", "backslashreplace")
    return hmac.compare_digest(
        hashlib.sha256(octets).digest(), hashlib.sha256(user.encode()).digest()
    )


def read_pages(audit: Members, providers: Providers) -> DeclaredPages:
    """Read `taskflow.audit.pages`."""
    block, default = audit.object("pages", _KEYS), DeclaredPages()
    return DeclaredPages(
        host=block.address("host", default=default.host),
        port=block.whole_number("port", default=default.port, low=0, high=65_535),
        user=_user(block, default.user),
        base_path=_base_path(block, default.base_path),
        password=_password(block, providers),
    )


def _user(block: Members, default: str) -> str:
    user = block.text("user", default=default)
    if ":" in user:
        block.refuse("user", expected="a name without a colon", found="one with a colon")
    return user


def _base_path(block: Members, default: str) -> str:
    path = block.text("basePath", default=default).removesuffix("/")
    if path and not _BASE_PATH.fullmatch(path):
        block.refuse("basePath", expected="a path like /audit", found="another string")
    return path


def _password(block: Members, providers: Providers) -> DeclaredKey | None:
    written = block.get("password")
    held = None if written is None else read_secret_input(written)
    if written is None or held is None:
        return None
    refuse_placeholder(held, written)
    if isinstance(held, SecretRef):
        providers.check(held, written)
    return DeclaredKey(KeyId("password"), held, written)
