"""Answers as bytes, read strictly: what is not an answer of ours raises."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

_HEAD = re.compile(rb"HTTP/1\.1 ([1-5][0-9]{2}) [ A-Za-z-]*\r\n((?:[A-Za-z-]+: [^\r\n]*\r\n)*)\r\n")
_INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_REFUSED = ("ok", "code", "error", "result")
_REFUSED_ON_ROUTE = ("ok", "routeId", "code", "error", "result")
_ACCEPTED = ({"ok", "result"}, {"ok", "routeId", "result"}, {"ok", "routeId", "code", "result"})


class NotAnAnswerError(Exception):
    """The bytes are no whole answers."""


@frozen
class Answer:
    """One answer; `body` is empty where it answers HEAD."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The object that the body is in JSON."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    @property
    def code(self) -> str:
        """The code of a refusal."""
        return str(self.json["code"])

    @property
    def keeps_alive(self) -> bool:
        """Whether the server will read another request."""
        return self.headers["connection"] == "keep-alive"

    @property
    def closes(self) -> bool:
        """Whether it is the last one on its connection."""
        return self.headers["connection"] == "close"

    @property
    def request_id(self) -> str:
        """The id that the log has too."""
        return self.headers["x-request-id"]


def read_answers(received: bytes) -> list[Answer]:
    """Read everything that came on a connection; interim answers are left out."""
    return list(_answers(received))


def _answers(received: bytes) -> Iterator[Answer]:
    while received := received.removeprefix(_INTERIM):
        found = _HEAD.match(received)
        if found is None:
            raise NotAnAnswerError(f"no head of an answer: {received[:200]!r}")
        headers = _fields(found[2].decode())
        body = _body(received[found.end() :], headers)
        yield Answer(int(found[1]), headers, body)
        received = received[found.end() + len(body) :]


def _fields(lines: str) -> Mapping[str, str]:
    pairs = [line.split(": ", 1) for line in lines.splitlines()]
    headers = {name.lower(): value for name, value in pairs}
    if len(headers) != len(pairs):
        raise NotAnAnswerError(f"a header is repeated: {lines!r}")
    return headers


def _body(rest: bytes, headers: Mapping[str, str]) -> bytes:
    if not rest.startswith(b"{"):  # the answer to HEAD has no body
        return b""
    length = int(headers.get("content-length", "0"))
    if not 0 < length <= len(rest):
        raise NotAnAnswerError(f"a body of {length} bytes is not in {rest[:200]!r}")
    return rest[:length]


def envelope_fault(answer: Answer) -> str | None:
    """Say what is wrong with the envelope of an answer, or nothing."""
    if not _ID.fullmatch(answer.headers.get("x-request-id", "")):
        return "it has no request id"
    if answer.headers.get("connection") not in {"close", "keep-alive"}:
        return "it does not say whether the connection goes on"
    if not answer.headers.get("content-type", "").startswith("application/json"):
        return "it is not JSON"
    return _content_fault(answer) if answer.body else None


def _content_fault(answer: Answer) -> str | None:
    members = answer.json
    if not isinstance(members.get("result"), dict):
        return "it has no result"
    if members.get("ok") is True:
        return None if set(members) in _ACCEPTED and answer.status < 300 else "it is not ok"
    if tuple(members) not in {_REFUSED, _REFUSED_ON_ROUTE}:
        return f"its members are {tuple(members)}"
    return None if answer.status >= 400 else "a refusal has a good status"
