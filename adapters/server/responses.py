"""Answers as bytes."""

from __future__ import annotations

import time
from collections.abc import Iterable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Final

from adapters.server.ports import RawResponse

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}


def status_line(status: int) -> str:
    """Return a status with its phrase."""
    return f"{status} {_PHRASES.get(status, '')}"


def response_head(status: str, headers: Iterable[tuple[str, str]], keep: float | None) -> bytes:
    """Write the head of an answer; `status` is the code and its phrase.

    `keep` is for how many seconds the connection waits for the next request, None for not at all.
    """
    fields = "".join([f"{name}: {value}\r\n" for name, value in headers])
    date, connection = _date(int(time.time())), _connection(keep)
    return f"HTTP/1.1 {status}\r\n{fields}Date: {date}\r\n{connection}\r\n".encode("latin-1")


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


@lru_cache(maxsize=8)
def _connection(keep: float | None) -> str:
    if keep is None:
        return "Connection: close\r\n"
    # NOTE: a pool that knows when a connection ends sends no request into its end.
    lasting = f"Keep-Alive: timeout={int(keep)}\r\n" if keep >= 1 else ""
    return f"Connection: keep-alive\r\n{lasting}"


def whole_response(answer: RawResponse, method: str, keep: float | None) -> bytes:
    """Write a complete answer; one to HEAD has the length of its body, but not the body."""
    status, headers, body = answer
    sized = (*headers, ("Content-Length", str(len(body))))
    head = response_head(status_line(status), sized, keep)
    return head if method == "HEAD" else head + body
