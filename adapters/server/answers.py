"""Answers as bytes."""

from collections.abc import Iterable
from email.utils import formatdate
from http import HTTPStatus
from typing import Literal

from adapters.server.contract import RawAnswer

ConnectionOption = Literal["keep-alive", "close"]

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_PHRASES = {status.value: status.phrase for status in HTTPStatus}


def answer_head(
    status: str, headers: Iterable[tuple[str, str]], connection: ConnectionOption
) -> bytes:
    """Write the head of an answer; `status` is the code and its phrase."""
    fields = (*headers, ("Date", formatdate(usegmt=True)), ("Connection", connection))
    lines = (f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields), "", "")
    return "\r\n".join(lines).encode("latin-1")


def whole_answer(answer: RawAnswer, method: str, connection: ConnectionOption) -> bytes:
    """Write a complete answer; one to HEAD has the length of its body, but not the body."""
    status, headers, body = answer
    sized = (*headers, ("Content-Length", str(len(body))))
    head = answer_head(f"{status} {_PHRASES.get(status, '')}", sized, connection)
    return head if method == "HEAD" else head + body
