"""The WSGI environment of a request (PEP 3333)."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from adapters.server.exchange import Exchange
from adapters.server.head import fold_values

# Content-Length is the decoded body's; what framed the bytes on the wire is no longer true.
_FRAMING: Final = frozenset({"content-length", "transfer-encoding"})

_ALWAYS: Final[Mapping[str, Any]] = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.input_terminated": True,
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
}


def build_environ(exchange: Exchange, host: str, port: int) -> dict[str, Any]:
    """Build the environment that the application is called with.

    Beside PEP 3333's keys it holds `taskflow.request_id` and `taskflow.permit`;
    the task adds `taskflow.authenticated`, to be called where the application finds out who asks.
    """
    head = exchange.head
    environ = {
        **_ALWAYS,
        "REQUEST_METHOD": head.method,
        "PATH_INFO": _decoded(head.path) if "%" in head.path else head.path,
        "QUERY_STRING": head.query,
        "REQUEST_URI": head.target,
        "REMOTE_ADDR": head.peer,
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{head.version}",
        "wsgi.input": io.BytesIO(exchange.body.content),
        "wsgi.errors": sys.stderr,
        "taskflow.request_id": head.request_id,
        "taskflow.permit": exchange.permit,
        **_length(exchange),
    }
    for name, repeats in head.by_name.items():
        if (variable := _variable(name)) is not None:
            environ[variable] = fold_values(name, repeats)
    return environ


def _decoded(path: str) -> str:
    return unquote_to_bytes(path.encode("latin-1")).decode("latin-1")


def _length(exchange: Exchange) -> dict[str, str]:
    has_length = exchange.pending or bool(exchange.head.values("content-length"))
    return {"CONTENT_LENGTH": str(len(exchange.body.content))} if has_length else {}


@lru_cache(maxsize=256)
def _variable(name: str) -> str | None:
    """Return the variable of a header field, if it has one."""
    # APPSEC: `X_Forwarded_For` would become the variable of `X-Forwarded-For`.
    if "_" in name or name in _FRAMING:
        return None
    variable = name.upper().replace("-", "_")
    return variable if variable == "CONTENT_TYPE" else f"HTTP_{variable}"
