"""Answers as bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from email.utils import formatdate
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
    fields = (*headers, ("Date", formatdate(usegmt=True)), *_connection(keep))
    lines = (f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields), "", "")
    return "\r\n".join(lines).encode("latin-1")


def _connection(keep: float | None) -> Iterator[tuple[str, str]]:
    if keep is None:
        yield "Connection", "close"
        return
    yield "Connection", "keep-alive"
    if keep >= 1:
        # NOTE: a pool that knows when a connection ends sends no request into its end.
        yield "Keep-Alive", f"timeout={int(keep)}"


def whole_response(answer: RawResponse, method: str, keep: float | None) -> bytes:
    """Write a complete answer; one to HEAD has the length of its body, but not the body."""
    status, headers, body = answer
    sized = (*headers, ("Content-Length", str(len(body))))
    head = response_head(status_line(status), sized, keep)
    return head if method == "HEAD" else head + body
