"""The auditor's pages: where they are served, and to whom, apart from the gateway and its keys."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Annotated, Final

from attrs import frozen

from adapters.settings.nodes import Node
from adapters.settings.references import SecretField
from adapters.settings.secret import Secret
from adapters.settings.structure import HostName, Matching, PortNumber

_USER: Final = Matching(re.compile(r"[^:]+"), "a name without a colon", "one with a colon")
_BASE_PATH: Final = Matching(
    re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9_~.-]*)*/?", re.ASCII), "a path like /audit"
)


def _base_path(node: Node) -> str:
    return _BASE_PATH(node).removesuffix("/")


@frozen(kw_only=True)
class PagesConfig:
    """Where the pages listen, below which path a proxy shows them, and who may see them."""

    host: HostName = "127.0.0.1"
    port: PortNumber = 8081
    user: Annotated[str, _USER] = "auditor"
    password: SecretField | None = None
    base_path: Annotated[str, _base_path] = ""


@frozen
class PagesLogin:
    """The user and the password to whom the pages are shown."""

    user: str
    password: Secret

    def admits(self, user: str, password: str) -> bool:
        """Return whether somebody presented both the user and the password, in constant time.

        Both are as WSGI hands them over: bytes decoded as Latin-1.
        """
        # APPSEC: both are compared before either result is looked at.
        results = (_is_same(user, self.user), self.password.matches(password))
        return all(results)


def _is_same(presented: str, user: str) -> bool:
    octets = presented.encode("latin-1", "backslashreplace")
    return hmac.compare_digest(
        hashlib.sha256(octets).digest(), hashlib.sha256(user.encode()).digest()
    )
