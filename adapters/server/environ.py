"""The WSGI environment of a request (PEP 3333)."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from adapters.server.exchange import Exchange

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
    head, said = exchange.head, exchange.head.said
    return {
        **_ALWAYS,
        "REQUEST_METHOD": said.method,
        "PATH_INFO": _decoded(said.path) if "%" in said.path else said.path,
        "QUERY_STRING": said.query,
        "REQUEST_URI": said.target,
        "REMOTE_ADDR": head.peer,
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{said.version}",
        "wsgi.input": io.BytesIO(exchange.body.content),
        "wsgi.errors": sys.stderr,
        "taskflow.request_id": head.request_id,
        "taskflow.permit": exchange.permit,
        **_length(exchange),
        **said.variables,
    }


def _decoded(path: str) -> str:
    return unquote_to_bytes(path.encode("latin-1")).decode("latin-1")


def _length(exchange: Exchange) -> dict[str, str]:
    has_length = exchange.pending or bool(exchange.head.values("content-length"))
    return {"CONTENT_LENGTH": str(len(exchange.body.content))} if has_length else {}
