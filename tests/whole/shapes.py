"""The shapes of request smuggling, one by one.

Each is what an attacker sends so that one server sees one request where another one sees two. The
second one would create a flow whose goal begins with `smuggled`: it must never be executed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from attrs import evolve, frozen

from tests.whole.honest import FIELDS, PATH, creating, webhook

_MARK = b"000"
_MARK_BY = b"%03d"
INNER = webhook(creating("smuggled 000"), target=f"{PATH}?smuggled=000")
_JSON = FIELDS[1:]
_LINE = f"POST {PATH} HTTP/1.1"


@frozen
class Shape:
    """What is sent, how it is to be answered, and whether that ends the connection."""

    name: str
    data: bytes
    status: int = 400
    closes: bool = True
    number: int = 0

    @property
    def goal(self) -> str:
        """The goal of the flow that must not be."""
        return f"smuggled {self.number:03}"

    @property
    def target_query(self) -> str:
        """The query of the request that must not be."""
        return f"smuggled={self.number:03}"


def post(*lines: str, body: bytes = b"", line: str = _LINE) -> bytes:
    """Write a webhook request with these lines and no others about its body."""
    return "\r\n".join((line, *FIELDS, *lines, "", "")).encode("latin-1") + body


def _length_of(body: bytes) -> str:
    return f"Content-Length: {len(body)}"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


_CHUNKED = "Transfer-Encoding: chunked"
_LAST = b"0\r\n\r\n"
_HIDDEN_BEHIND = _LAST + INNER
"""Who goes by the chunks sees two requests, who goes by the length one."""
_HIDDEN_INSIDE = _chunk(INNER) + _LAST
"""Who goes by the chunks sees one request, who goes by a short length two."""


def _both() -> Iterator[Shape]:
    behind = _length_of(_HIDDEN_BEHIND)
    short = f"Content-Length: {_HIDDEN_INSIDE.index(INNER)}"
    yield Shape("CL.TE", post(behind, _CHUNKED, body=_HIDDEN_BEHIND))
    yield Shape("CL.TE, coding first", post(_CHUNKED, behind, body=_HIDDEN_BEHIND))
    yield Shape("TE.CL", post(_CHUNKED, short, body=_HIDDEN_INSIDE))
    yield Shape("TE.CL, length first", post(short, _CHUNKED, body=_HIDDEN_INSIDE))
    yield Shape("TE.0", post(_CHUNKED, "Content-Length: 0", body=_HIDDEN_INSIDE))
    for value in ("CHUNKED", "chunKed", "\tchunked", "chunked \t", "chunked,", "identity"):
        coding = f"Transfer-Encoding: {value}"
        yield Shape(f"length and {value!r}", post(behind, coding, body=_HIDDEN_BEHIND))
    for version in ("1.0", "1.1"):
        line = f"POST {PATH} HTTP/{version}"
        lines = ("Connection: keep-alive", _CHUNKED, behind)
        yield Shape(f"CL.TE in HTTP/{version}", post(*lines, body=_HIDDEN_BEHIND, line=line))


_NOT_CHUNKED: Mapping[str, tuple[int, tuple[str, ...]]] = {
    **{
        f"TE {value!r}": (400, (f"Transfer-Encoding: {value}",))
        for value in (
            *("", "xchunked", "chunkedx", "chunke", "x chunked", "chunked x", "identity", "cow"),
            *("chunked,", ",chunked", ", chunked ,", "chunked;", "chunked;q=1", '"chunked"'),
            *("'chunked'", "chunked, identity", "chunked, gzip", "gzip", "chunked, chunked"),
            *(
                "\x0bchunked",
                "\x0cchunked",
                "\x00chunked",
                "chunked\x00",
                "chunked\x0b",
                "\x1bchunked",
            ),
            *("\x7fchunked", "chunked\xa0", "\x85chunked", "\xffchunked", "chunked\r", "\rchunked"),
            *("\r\n chunked", "\r\n\tchunked", "chunked\r\n ", "\n chunked", "chunked\n"),
        )
    },
    "TE gzip, chunked": (501, ("Transfer-Encoding: gzip, chunked",)),
    "TE identity, chunked": (501, ("Transfer-Encoding: identity, chunked",)),
    "TE twice": (400, (_CHUNKED, _CHUNKED)),
    "TE chunked, then identity": (400, (_CHUNKED, "Transfer-Encoding: identity")),
    "TE identity, then chunked": (400, ("Transfer-Encoding: identity", _CHUNKED)),
    "TE chunked, then x": (400, (_CHUNKED, "Transfer-Encoding: x")),
    **{
        f"field line {line!r}": (400, (line,))
        for line in (
            *("Transfer-Encoding : chunked", "Transfer-Encoding\t: chunked", "Transfer-Encoding"),
            *(" Transfer-Encoding: chunked", "\tTransfer-Encoding: chunked", ": chunked"),
            *("Transfer-Encoding chunked", "Transfer-Encoding\x00: chunked", "\x00: chunked"),
            *("Transfer\x00-Encoding: chunked", "\x0bTransfer-Encoding: chunked", "X\n: y"),
            *("Transfer-Encoding\n: chunked", "Transfer-Encoding\r: chunked", "(TE): chunked"),
            *("X: y\nTransfer-Encoding: chunked", "X: y\rTransfer-Encoding: chunked"),
            *("X: y\r\r\nTransfer-Encoding: chunked", "X: y\n\rTransfer-Encoding: chunked"),
            *("Transfer Encoding: chunked", "Transfer-\xe9ncoding: chunked", "X: \x00", "X: \x07"),
        )
    },
}


def _obfuscated() -> Iterator[Shape]:
    for name, (status, lines) in _NOT_CHUNKED.items():
        yield Shape(name, post(*lines, body=_HIDDEN_BEHIND), status)
        with_length = post(_length_of(_HIDDEN_BEHIND), *lines, body=_HIDDEN_BEHIND)
        yield Shape(f"length and {name}", with_length)


def _lengths() -> Iterator[Shape]:
    size = len(INNER)
    for lines in (
        (f"Content-Length: {size}", "Content-Length: 0"),
        ("Content-Length: 0", f"Content-Length: {size}"),
        (f"Content-Length: {size}", f"Content-Length: {size}"),
        (f"Content-Length: {size}", f"content-length: 0{size}"),
        ("Content-Length: 0", f"Content-Length : {size}"),
    ):
        yield Shape(" / ".join(lines), post(*lines, body=INNER))
    for value in (
        *(f"{size}, {size}", f"{size},0", f"0, {size}", f"{size},", f",{size}", f"+{size}"),
        *(f"-{size}", "-0", f"0x{size:x}", f"{size}_0", f"{size} 0", f"{size}.0", f"{size}e0"),
        *(f"{size};", f'"{size}"', f"{size}\x00", f"\x00{size}", f"\x0b{size}", f"{size}\x0c"),
        *("", "\xb2", "NaN", f"{2**64 + size}", f"{2**32 + size}0000000000", "9" * 5_000),
        *(f"\r\n {size}", f"{size}\r", f"{size}\nX: y"),
    ):
        yield Shape(f"CL {value[:30]!r}", post(f"Content-Length: {value}", body=INNER))


def _line_ends() -> Iterator[Shape]:
    whole = post("X: y", _length_of(INNER), body=INNER)
    head, body = whole.split(b"\r\n\r\n", 1)
    for name, end in (("LF", b"\n"), ("CR", b"\r"), ("LF CR", b"\n\r"), ("CR CR LF", b"\r\r\n")):
        line_end = head.replace(b"\r\n", end, 1) + b"\r\n\r\n" + body
        yield Shape(f"{name} behind the request line", line_end)
        yield Shape(
            f"{name} between fields", head.replace(b"\r\nX", end + b"X") + b"\r\n\r\n" + body
        )
        yield Shape(f"{name} at the end of the head", head + b"\r\n" + end + body)
        yield Shape(f"{name} twice at the end of the head", head + end + end + body)
    yield Shape("LF everywhere", head.replace(b"\r\n", b"\n") + b"\n\n" + body)
    yield Shape("LF LF before the length", post("X: y\n", _length_of(INNER), body=INNER))
    yield Shape("a blank line with a blank", head + b"\r\n \r\n\r\n" + body)
    yield Shape("LF before the request line", b"\n" + whole)
    yield Shape("a blank before the request line", b" " + whole)
    yield Shape("a folded first field", post(body=INNER, line=f"{_LINE}\r\n X: y"))
    yield Shape("a folded field", post("X: y\r\n z", _length_of(INNER), body=INNER))


_CHUNK_TRICKS: Mapping[str, bytes] = {
    "an extension that ends in LF": b"2;\nxx\r\n" + _HIDDEN_BEHIND,
    "an extension with LF": b"2;a\nxx\r\n" + _HIDDEN_BEHIND,
    "an extension with CR": b"2;a\rb\r\nxx\r\n" + _HIDDEN_BEHIND,
    "an extension with NUL": b"2;\x00\r\nxx\r\n" + _HIDDEN_BEHIND,
    "an extension in which chunks hide": b"2;\n" + _chunk(INNER)[:-2] + b"\n0\r\n\r\n",
    "a size that ends in LF": b"2\nxx\r\n" + _HIDDEN_BEHIND,
    "a size that ends in CR": b"2\rxx\r\n" + _HIDDEN_BEHIND,
    "a size with a blank behind": b"2 \r\nxx\r\n" + _HIDDEN_BEHIND,
    "a size with a blank before": b" 2\r\nxx\r\n" + _HIDDEN_BEHIND,
    "a size with a tab": b"2\t;a\r\nxx\r\n" + _HIDDEN_BEHIND,
    "a size with a plus": b"+2\r\nxx\r\n" + _HIDDEN_BEHIND,
    "a negative size": b"-2\r\nxx\r\n" + _HIDDEN_BEHIND,
    "a size of minus nothing": b"-0\r\n\r\n" + INNER,
    "a size with 0x": b"0x2\r\nxx\r\n" + _HIDDEN_BEHIND,
    "a size with an underscore": b"0_2\r\nxx\r\n" + _HIDDEN_BEHIND,
    "a size with a full stop": b"2.0\r\nxx\r\n" + _HIDDEN_BEHIND,
    "a size with a comma": b"2,2\r\nxx\r\n" + _HIDDEN_BEHIND,
    "a size with NUL": b"2\x00\r\nxx\r\n" + _HIDDEN_BEHIND,
    "a size that is no number": b"two\r\nxx\r\n" + _HIDDEN_BEHIND,
    "a size in other digits": b"\xef\xbc\x92\r\nxx\r\n" + _HIDDEN_BEHIND,
    "no size": b"\r\nxx\r\n" + _HIDDEN_BEHIND,
    "a size beyond 64 bits": b"10000000000000002\r\nxx\r\n" + _HIDDEN_BEHIND,
    "a size of 17 digits": b"00000000000000002\r\nxx\r\n" + _HIDDEN_BEHIND,
    "a size of 300 digits": b"1" + b"0" * 300 + b"\r\n" + _HIDDEN_BEHIND,
    "nothing behind a chunk": b"2\r\nxx0\r\n\r\n" + INNER,
    "LF behind a chunk": b"2\r\nxx\n0\r\n\r\n" + INNER,
    "CR behind a chunk": b"2\r\nxx\r0\r\n\r\n" + INNER,
    "two other bytes behind a chunk": b"2\r\nxxZZ0\r\n\r\n" + INNER,
    "a chunk that is longer than its size": b"2\r\nxxxx\r\n0\r\n\r\n" + INNER,
    "a chunk that is shorter than its size": b"5\r\nxx\r\n0\r\n\r\n" + INNER,
    "a last chunk that ends in LF": b"0\n\r\n" + INNER,
    "a blank line that is LF": b"0\r\n\n" + INNER,
    "a blank line that is CR": b"0\r\n\r" + INNER,
    "a blank line that is missing": b"0\r\n" + INNER,
    "a trailer that frames": b"0\r\n" + _length_of(INNER).encode() + b"\r\n\r\n" + INNER,
    "a trailer that codes": b"0\r\nTransfer-Encoding: chunked\r\n\r\n" + INNER,
    "a trailer that is no field": b"0\r\nnonsense\r\n\r\n" + INNER,
    "a trailer that is folded": b"0\r\nX: y\r\n z\r\n\r\n" + INNER,
    "a trailer that ends in LF": b"0\r\nX: y\n\r\n" + INNER,
    "a trailer with a blank before its colon": b"0\r\nX : y\r\n\r\n" + INNER,
    "a trailer with NUL": b"0\r\nX: \x00\r\n\r\n" + INNER,
}


def _chunks() -> Iterator[Shape]:
    for name, body in _CHUNK_TRICKS.items():
        yield Shape(f"chunks: {name}", post(_CHUNKED, body=body))


def _versions() -> Iterator[Shape]:
    body, length = INNER, _length_of(INNER)
    for line in (
        *(f"POST {PATH}", f"POST {PATH} ", f"POST {PATH} HTTP/0.9", f"POST {PATH} HTTP/1.2"),
        *(f"POST {PATH} HTTP/2.0", f"POST {PATH} HTTP/1.1 ", f"POST {PATH} HTTP/1.1\x00"),
        *(f"POST {PATH} http/1.1", f"POST {PATH} HTTP/01.1", f"POST {PATH} HTTP/1.1 HTTP/1.0"),
        *(f"POST  {PATH} HTTP/1.1", f"POST\t{PATH} HTTP/1.1", f"POST {PATH}\x0bHTTP/1.1"),
        *(f"POST {PATH}\x00 HTTP/1.1", f"PO\x00ST {PATH} HTTP/1.1", f"POST {PATH} \r HTTP/1.1"),
    ):
        yield Shape(f"line {line!r}", post(length, body=body, line=line))
    yield Shape("HTTP/0.9", f"GET {PATH}\r\n\r\n".encode() + INNER)
    old = ("Connection: keep-alive", _CHUNKED)
    yield Shape("chunks in HTTP/1.0", post(*old, body=_HIDDEN_BEHIND, line=f"POST {PATH} HTTP/1.0"))
    yield Shape("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + INNER)


def _hosts() -> Iterator[Shape]:
    bare = "\r\n".join((_LINE, *_JSON, _length_of(INNER), "", "")).encode() + INNER
    yield Shape("no Host", bare)
    for value in ("Host: other", "Host: gateway", "Host: a/b", "host:"):
        yield Shape(f"a second {value}", post(value, _length_of(INNER), body=INNER))
    for value in ("a/b", "a b", "a@b", "a\\b", "a#b", "a?b", "a,b@c"):
        data = bare.replace(b"\r\n", f"\r\nHost: {value}\r\n".encode(), 1)
        yield Shape(f"Host {value!r}", data)


def _expectations() -> Iterator[Shape]:
    for value in ("200-ok", "100-continue, x", "100-continue;a", "x\r\nExpect: 100-continue", ""):
        lines = (f"Expect: {value}", _length_of(INNER))
        yield Shape(f"Expect {value!r}", post(*lines, body=INNER), 417)
    waiting = post("Expect: 100-continue", _length_of(INNER), body=INNER)
    yield Shape("turned away while it waits", waiting.replace(b"-zapier", b"-other", 1), 401)
    yield Shape("Expect and both framings", post("Expect: 100-continue", *_framings(), body=INNER))


def _framings() -> tuple[str, str]:
    return _CHUNKED, _length_of(INNER)


def _behind_a_refusal() -> Iterator[Shape]:
    yield Shape("behind a malformed line", b"POST\r\n\r\n" + INNER)
    yield Shape("behind noise", b"\x16\x03\x01\x02\x00\r\n\r\n" + INNER)
    too_long = post("Content-Length: 262145", body=INNER)
    yield Shape("behind a length over the limit", too_long, 413)
    many = post(_CHUNKED, body=_chunk(b"x" * 262_145) + _LAST + INNER)
    yield Shape("behind chunks over the limit", many, 413)
    large = post("X: " + "y" * 20_000, body=INNER)
    yield Shape("behind a head over the limit", large, 431)
    crowd = post(*(f"X-{number}: y" for number in range(101)), body=INNER)
    yield Shape("behind too many fields", crowd, 431)
    tunnel = f"CONNECT gateway:80 HTTP/1.1\r\n{FIELDS[0]}\r\n\r\n".encode()
    yield Shape("behind a refused CONNECT", tunnel + INNER, 404)


def _unread_bodies() -> Iterator[Shape]:
    """CL.0: a server that does not care for a body must still not read it as a request."""
    length = _length_of(INNER)

    def kept(name: str, status: int, line: str = _LINE, *lines: str) -> Shape:
        data = post(*lines, length, body=INNER, line=line)
        return Shape(f"unread body: {name}", data, status, closes=False)

    yield kept("unknown path", 404, "POST /elsewhere HTTP/1.1")
    yield kept("wrong method", 405, f"GET {PATH} HTTP/1.1")
    yield kept("unknown method", 405, f"SMUGGLE {PATH} HTTP/1.1")
    yield kept("HEAD", 405, f"HEAD {PATH} HTTP/1.1")
    yield kept("a probe", 200, "GET /healthz HTTP/1.1")
    yield kept("not JSON", 400)
    yield kept("other path to the route", 404, f"POST /.{PATH} HTTP/1.1")
    yield kept("absolute form", 400, f"POST http://gateway{PATH} HTTP/1.1")
    yield kept("absolute form of another host", 404, f"POST http://other{PATH} HTTP/1.1")
    yield kept("asterisk form", 404, "OPTIONS * HTTP/1.1")
    yield kept("h2c", 400, _LINE, "Upgrade: h2c", "Connection: Upgrade", "HTTP2-Settings: AAMA")
    yield kept("WebSocket", 400, _LINE, "Upgrade: websocket", "Connection: Upgrade")
    yield kept("hop-by-hop length", 400, _LINE, "Connection: Content-Length, keep-alive")
    yield kept("underscored coding", 400, _LINE, "Transfer_Encoding: chunked")
    yield kept("underscored length", 400, _LINE, "Content_Length: 0")
    yield kept("another name", 400, _LINE, "X-Transfer-Encoding: chunked")
    yield kept("a needless Expect", 400, _LINE, "Expect: 100-Continue")
    wrong = post(length, body=INNER).replace(b"-zapier", b"-other", 1)
    yield Shape("unread body: wrong secret", wrong, 401, closes=False)
    plain = post(length, body=INNER).replace(b"application/json", b"text/plain", 1)
    yield Shape("unread body: wrong type", plain, 415, closes=False)
    chunked = post(_CHUNKED, body=_HIDDEN_INSIDE, line=f"GET {PATH} HTTP/1.1")
    yield Shape("unread body: chunks", chunked, 405, closes=False)
    old = post("Connection: keep-alive", length, body=INNER, line=f"POST {PATH} HTTP/1.0")
    yield Shape("unread body: HTTP/1.0", old, 400, closes=False)


_GROUPS: tuple[Callable[[], Iterator[Shape]], ...] = (
    *(_both, _obfuscated, _lengths, _line_ends, _chunks, _versions, _hosts),
    *(_expectations, _behind_a_refusal, _unread_bodies),
)


def _numbered() -> Iterator[Shape]:
    shapes = (shape for group in _GROUPS for shape in group())
    for number, shape in enumerate(shapes, start=1):
        mark = _MARK_BY % number
        data = shape.data.replace(b"smuggled " + _MARK, b"smuggled " + mark)
        data = data.replace(b"smuggled=" + _MARK, b"smuggled=" + mark)
        yield evolve(shape, data=data, number=number)


SHAPES = tuple(_numbered())
