"""How a line is brought about: what is sent for it, from whom, and what happens before it.

Three scenarios need more than their own bytes: a gap in `seq` of `rate-limit` and `client-ip`
stands for repeats of the request before it, `in-flight` has open requests in the background,
and before some lines lies a pause.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

from attrs import evolve, frozen

from tests.contract.bindings import Bindings
from tests.contract.recording import BytesBody, Headers, Line, Part, TextBody
from tests.contract.wire_client import Outgoing

Repeats: TypeAlias = Mapping[tuple[str, int], tuple[Line, int]]
REPEATING = ("rate-limit", "client-ip")
RECORDED_BODY_SECONDS = 15.0
BODILESS = ("GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "PROPFIND")

LIMITED_CLIENT = "198.51.100.7"
OTHER_CLIENT = "203.0.113.9"
# NOTE: the recording leaves the X-Forwarded-For of the client-ip scenario out. These are derived:
# the address is the one that its X-Real-IP and Forwarded headers show, the forms are those that
# the line's name tells and the contract's semantics describe. None is no header at all.
FORWARDED_FOR: Mapping[str, str | None] = {
    "client-ip/limited": LIMITED_CLIENT,
    "client-ip/chain-last-wins": f"{OTHER_CLIENT}, {LIMITED_CLIENT}",
    "client-ip/chain-first": f"{LIMITED_CLIENT}, {OTHER_CLIENT}",
    "client-ip/port": f"{LIMITED_CLIENT}:4711",
    "client-ip/garbage": "not-an-address",
    "client-ip/v4-mapped": f"::ffff:{LIMITED_CLIENT}",
    "client-ip/x-real-ip": None,
    "client-ip/forwarded": None,
}


def is_reproducible(line: Line) -> bool:
    """Tell whether a recording says enough about a line to send it again."""
    says_who = line.scenario != "client-ip" or line.name in FORWARDED_FOR
    body = line.request.body
    return says_who and not (isinstance(body, TextBody) and body.text.endswith("...<cut>"))


def repeats(lines: Sequence[Line]) -> Repeats:
    """Tell which line is sent how often before another one, by that one's scenario and `seq`.

    A scenario that does not begin with its first request repeats its own first line.
    """
    found: dict[tuple[str, int], tuple[Line, int]] = {}
    scenarios = {line.scenario: line for line in reversed(lines) if line.scenario in REPEATING}
    for first in scenarios.values():
        found[first.scenario, first.seq] = (first, first.seq - 1)
    for before, line in pairwise(lines):
        if line.scenario == before.scenario and line.scenario in REPEATING:
            found[line.scenario, line.seq] = (before, line.seq - before.seq - 1)
    return {place: repeat for place, repeat in found.items() if repeat[1] > 0}


def fresh_clients() -> Iterator[str]:
    """Give addresses that no recorded client has, out of the range for benchmarks."""
    return (f"198.{18 + n // 65_536}.{n // 256 % 256}.{n % 256}" for n in range(1, 131_072))


@frozen
class Writer:
    """Writes the requests of a replay; slow bodies are as slow as the gateway's deadline asks."""

    body_seconds: float
    one_client: str | None = None

    def outgoing(self, line: Line, client: str, bindings: Bindings, now_ms: int) -> Outgoing:
        """Write a line's request with the ids and the client of this replay."""
        content = _content(line, bindings, now_ms)
        transport = line.transport
        return Outgoing(
            method=line.request.method,
            target=bindings.render(line.request.target, now_ms),
            headers=(*_rendered(line, bindings, now_ms), *_forwarded(line, client)),
            body=content,
            declared=None if transport.chunked else _declared(line, content),
            chunked=transport.chunked,
            parts=tuple(self._scaled(part) for part in transport.parts),
        )

    def client_of(self, line: Line, fresh: Iterator[str]) -> str:
        """Tell the address of the client that a line comes from."""
        if line.scenario == "in-flight" and self.one_client:
            return self.one_client
        return next(fresh) if line.client == "fresh" else line.client

    def _scaled(self, part: Part) -> Part:
        return Part(part.size, part.pause * self.body_seconds / RECORDED_BODY_SECONDS)


def _content(line: Line, bindings: Bindings, now_ms: int) -> bytes:
    match line.request.body:
        case TextBody(text=text):
            return bindings.render(text, now_ms).encode("utf-8", "surrogatepass")
        case BytesBody(content=content):
            return content


def _rendered(line: Line, bindings: Bindings, now_ms: int) -> Headers:
    return tuple((name, bindings.render(value, now_ms)) for name, value in line.request.headers)


def _forwarded(line: Line, client: str) -> Headers:
    if any(name.lower() == "x-forwarded-for" for name, _ in line.request.headers):
        return ()
    value = FORWARDED_FOR.get(line.name, client)
    return () if value is None else (("X-Forwarded-For", value),)


def _declared(line: Line, content: bytes) -> int | None:
    """Tell the Content-Length; the recording does not show it where there is no body."""
    if any(name.lower() == "content-length" for name, _ in line.request.headers):
        return None
    is_left_out = line.request.method in BODILESS or "no-content-length" in line.name
    if not content and is_left_out:
        return None
    length = line.transport.declared_length
    return len(content) if length is None else length


def from_client(outgoing: Outgoing, client: str) -> Outgoing:
    """Give a request as another client sends it."""
    others = tuple(pair for pair in outgoing.headers if pair[0] != "X-Forwarded-For")
    return evolve(outgoing, headers=(*others, ("X-Forwarded-For", client)))
