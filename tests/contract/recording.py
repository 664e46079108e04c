"""A recording: one request and the reference's answer a line, as typed values.

The format is the one of `data/reference.jsonl`: JSON lines, to be replayed in their order
against a fresh store.
"""

import base64
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from attrs import field, frozen

Headers: TypeAlias = tuple[tuple[str, str], ...]

_NESTING = re.compile(r"(?P<character>[\[\]])\*(?P<count>\d+) ?")


@frozen
class TextBody:
    """A body as text, in UTF-8 on the wire; it may hold `${name}` placeholders."""

    text: str


@frozen
class BytesBody:
    """A body as bytes, sent exactly."""

    content: bytes


Body: TypeAlias = TextBody | BytesBody


@frozen
class Part:
    """A piece of a slow body: so many bytes, then a pause in seconds."""

    size: int
    pause: float


@frozen
class Transport:
    """How the bytes are sent, where that is not one plain write with their length declared."""

    chunked: bool = False
    declared_length: int | None = None
    parts: tuple[Part, ...] = ()


@frozen
class Request:
    """What the reference was asked: raw target, headers in order (Latin-1), a body."""

    method: str
    target: str
    headers: Headers
    body: Body


@frozen
class Response:
    """What the reference answered; status None is a connection closed without an answer."""

    status: int | None
    headers: Headers
    body: str


@frozen
class Line:
    """One recorded exchange."""

    scenario: str
    seq: int
    name: str
    client: str
    request: Request
    transport: Transport
    response: Response
    saves: Mapping[str, str] = field(factory=dict)
    seconds: float | None = None


def read(path: Path) -> tuple[Line, ...]:
    """Read a recording; a line not of the format raises KeyError, TypeError or ValueError."""
    with path.open(encoding="utf-8") as lines:
        return tuple(line_of(json.loads(text)) for text in lines if text.strip())


def line_of(entry: Mapping[str, Any]) -> Line:
    """Give one line its type."""
    return Line(
        scenario=entry["scenario"],
        seq=entry["seq"],
        name=entry["name"],
        client=entry["client_ip"],
        request=_request(entry["request"]),
        transport=_transport(entry.get("transport") or {}),
        response=_response(entry["response"]),
        saves={**(entry.get("save") or {}), **(entry.get("save_task") or {})},
        seconds=entry.get("seconds"),
    )


def _request(entry: Mapping[str, Any]) -> Request:
    return Request(
        method=entry["method"],
        target=entry["path"],
        headers=_headers(entry["headers"]),
        body=_body(entry),
    )


def _headers(entry: Mapping[str, str] | list[list[str]]) -> Headers:
    pairs = entry.items() if isinstance(entry, Mapping) else entry
    return tuple((name, value) for name, value in pairs)


def _body(entry: Mapping[str, Any]) -> Body:
    if "body_b64" in entry:
        return BytesBody(base64.b64decode(entry["body_b64"], validate=True))
    if "body_repeat" in entry:
        return TextBody(_repeated(entry["body_repeat"]))
    if "body_template" in entry:
        return TextBody(_NESTING.sub(_nest, entry["body_template"]))
    return TextBody(entry.get("body") or "")


def _repeated(entry: Mapping[str, Any] | list[Any]) -> str:
    values = entry.values() if isinstance(entry, Mapping) else entry
    prefix, character, count, suffix = values
    return f"{prefix}{character * count}{suffix}"


def _nest(match: re.Match[str]) -> str:
    return match["character"] * int(match["count"])


def _transport(entry: Mapping[str, Any]) -> Transport:
    return Transport(
        chunked=bool(entry.get("chunked")),
        declared_length=entry.get("declared_length"),
        parts=tuple(Part(int(size), float(pause)) for size, pause in entry.get("parts") or ()),
    )


def _response(entry: Mapping[str, Any]) -> Response:
    return Response(
        status=entry["status"],
        headers=_headers(entry.get("headers") or {}),
        body=entry.get("body") or "",
    )
