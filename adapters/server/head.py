"""The head of a request: found in the bytes, checked, and read into a value.

The grammar is RFC 9112 §2 to §5 without its tolerances: lines end in CRLF, a field is one line, a
name has no blank before its colon. What two servers could read in two ways is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Final, Literal, TypeAlias

from attrs import field, frozen

from adapters.server.errors import HEAD_TOO_LARGE, HttpError, bad_request
from adapters.server.framing import Framing, read_framing
from domain.flow.ids import RequestId
from domain.flow.lean_frozen import lean_frozen

MAX_FIELDS: Final = 100
BLANK_LINE: Final = b"\r\n\r\n"
"""The end of a head, with that of its last line."""

_TCHAR: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
_METHOD: Final = re.compile(rb"%b{1,32}(?: |\Z)" % _TCHAR)
# A target is a path, a star, or a URI (RFC 9112 §3.2); behind CONNECT it is an authority.
_REQUEST_LINE: Final = re.compile(
    rf"({_TCHAR.decode()}+) ((?:/|\*|[A-Za-z]+://|(?<=CONNECT )[!-~])[\x21-\x7e]*) HTTP/1\.([01])"
)
_ABSOLUTE: Final = re.compile(r"(http|https)://([^/?#]+)(.*)", re.IGNORECASE)
_PORTS: Final = {"http": ":80", "https": ":443"}
_FIELDS: Final = re.compile(rb"(?:%b+:[\t\x20-\x7e\x80-\xff]*\r\n)*" % _TCHAR)
_FIELD: Final = re.compile(r"([^:]+):([^\r]*)\r\n")

# A repeated field of these keeps its first value, as the reference does; others are joined.
_SINGLE: Final = frozenset(
    {
        "authorization",
        "content-type",
        "from",
        "host",
        "if-modified-since",
        "if-unmodified-since",
        "max-forwards",
        "proxy-authorization",
        "referer",
        "user-agent",
    }
)

_FRAMING: Final = frozenset({"content-length", "transfer-encoding"})

HttpVersion: TypeAlias = Literal["1.0", "1.1"]
HeaderFields: TypeAlias = tuple[tuple[str, str], ...]


@frozen(kw_only=True)
class HeadText:
    """What the bytes of a head say.

    `target` is as sent, but for an absolute form of our own host: its path and query (RFC 9112
    §3.2.2); nothing is decoded. `headers` are (lower-case name, Latin-1 value) in the order sent,
    repeats kept; `by_name` and `folded` are the same by name. They are not in the repr, as secrets
    travel here.
    """

    method: str
    target: str
    version: HttpVersion
    headers: HeaderFields = field(repr=False)

    path: str = field(init=False)
    query: str = field(init=False)
    by_name: Mapping[str, tuple[str, ...]] = field(init=False, repr=False, eq=False)
    folded: Mapping[str, str] = field(init=False, repr=False, eq=False)
    keeps_alive: bool = field(init=False, eq=False)
    """Whether the connection may be kept: the caller wants it (RFC 9112 §9.3), and can."""
    framing: Framing | HttpError = field(init=False, eq=False)

    @path.default
    def _path(self) -> str:
        return self.target.partition("?")[0]

    @query.default
    def _query(self) -> str:
        return self.target.partition("?")[2]

    @by_name.default
    def _by_name(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for name, value in self.headers:
            found[name] = (*found.get(name, ()), value)
        return found

    @folded.default
    def _folded(self) -> Mapping[str, str]:
        folded = dict(self.headers)
        if len(folded) < len(self.headers):
            folded |= {name: _fold(name, values) for name, values in self.by_name.items()}
        return folded

    @cached_property  # PERF: of a head that is refused nobody asks for them
    def variables(self) -> Mapping[str, str]:
        """The fields as variables of WSGI (PEP 3333)."""
        # APPSEC: `X_Forwarded_For` would become the variable of `X-Forwarded-For`.
        # Content-Length is the decoded body's; what framed the bytes on the wire is no longer true.
        return {
            _variable(name): value
            for name, value in self.folded.items()
            if not ("_" in name or name in _FRAMING)
        }

    @keeps_alive.default
    def _keeps_alive(self) -> bool:
        # APPSEC: behind CONNECT come bytes for a tunnel that nobody here opens (RFC 9931).
        if self.method == "CONNECT":
            return False
        connection = self.folded.get("connection")
        if connection is None:
            return self.version == "1.1"
        options = {option.strip(" \t").lower() for option in connection.split(",")}
        return "close" not in options and (self.version == "1.1" or "keep-alive" in options)

    @framing.default
    def _framing(self) -> Framing | HttpError:
        return read_framing(self.version, lambda name: self.by_name.get(name, ()))


@lean_frozen(kw_only=True)
class Head:
    """A request as far as it is known before its body.

    `peer` is the address of the socket's other end.
    """

    said: HeadText
    peer: str
    request_id: RequestId

    @property
    def method(self) -> str:
        """The method as sent."""
        return self.said.method

    @property
    def path(self) -> str:
        """The raw target before its query."""
        return self.said.path

    def values(self, name: str) -> tuple[str, ...]:
        """Return every value of the field `name` (lower case), in the order sent."""
        return self.said.by_name.get(name, ())

    def value(self, name: str) -> str | None:
        """Return what the field `name` means: its values folded into one, or None without it."""
        return self.said.folded.get(name)


def _fold(name: str, values: tuple[str, ...]) -> str:
    if len(values) == 1 or name in _SINGLE:
        return values[0]
    return ("; " if name == "cookie" else ", ").join(values)


def _variable(name: str) -> str:
    variable = name.upper().replace("-", "_")
    return variable if variable == "CONTENT_TYPE" else f"HTTP_{variable}"


def begins_request(inbox: bytearray) -> bool:
    """Whether a request has begun, after the empty lines that RFC 9112 §2.2 allows before it."""
    while inbox.startswith(b"\r\n"):
        del inbox[:2]
    return bool(inbox) and inbox != b"\r"


def take_head(inbox: bytearray, limit: int) -> bytes | HttpError | None:
    """Take a whole head, blank line included, from `inbox`; None while it is incomplete."""
    end = inbox.find(BLANK_LINE)
    seen = bytes(inbox if end < 0 else inbox[: end + len(BLANK_LINE)])
    if fault := _early_fault(seen, limit):
        return fault
    if end < 0:
        return None
    del inbox[: len(seen)]
    return seen


def _early_fault(seen: bytes, limit: int) -> HttpError | None:
    """Refuse what no further byte can make right, so that garbage waits for no deadline."""
    if len(seen) > limit:
        return HEAD_TOO_LARGE
    if not _METHOD.match(seen):
        return bad_request("The request does not begin with a method")
    if seen.count(b"\n") != seen.count(b"\r\n"):
        return bad_request("A line of the request head does not end in CRLF")
    return None


def read_head(raw: bytes, *, peer: str, new_id: Callable[[], RequestId]) -> Head | HttpError:
    """Read the bytes of a whole head, as `take_head` gives them, into a value."""
    said = _read_again(raw) if len(raw) <= _REMEMBERED_BYTES else _read(raw)
    return said if isinstance(said, HttpError) else Head(said=said, peer=peer, request_id=new_id())


def _read(raw: bytes) -> HeadText | HttpError:
    line, _, rest = raw.partition(b"\r\n")
    start = _REQUEST_LINE.fullmatch(line.decode("latin-1"))
    if start is None:
        return bad_request("The request line is malformed")
    fields = _read_fields(rest[:-2])
    if isinstance(fields, HttpError):
        return fields
    method, target, minor = start.groups()
    return HeadText(
        method=method,
        target=_origin_form(target, fields),
        version="1.1" if minor == "1" else "1.0",
        headers=fields,
    )


# PERF: a caller that keeps its connection sends the same head again and again; to read it is a
# tenth of what a read of a flow takes. APPSEC: a head is found by all of its bytes at once, so that
# the time this takes says nothing of a part of a secret.
_read_again: Final = lru_cache(128)(_read)
_REMEMBERED_BYTES: Final = 2_048


def _origin_form(target: str, fields: HeaderFields) -> str:
    """Return the path and query of an absolute form whose host is that of the Host field."""
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None:
        return target
    host = next((value for name, value in fields if name == "host"), "")
    # APPSEC: one that names another host is nobody's path here, whichever of the two a proxy read.
    if not host:
        return target
    scheme, authority, rest = absolute.groups()
    port = _PORTS[scheme.lower()]
    if _without(port, authority) != _without(port, host):
        return target
    return rest if rest.startswith("/") else f"/{rest}"


def _without(port: str, authority: str) -> str:
    """Return an authority to compare: the scheme's own port may be named, or be empty."""
    return authority.lower().removesuffix(port).removesuffix(":")


def _read_fields(block: bytes) -> HeaderFields | HttpError:
    if not are_fields(block):
        return bad_request("A header field is malformed")
    if block.count(b"\r\n") > MAX_FIELDS:
        return HEAD_TOO_LARGE
    found = _FIELD.findall(block.decode("latin-1"))
    return tuple([(name.lower(), value.strip(" \t")) for name, value in found])


def are_fields(block: bytes) -> bool:
    """Whether `block` is field lines and nothing else, each ended by CRLF."""
    return _FIELDS.fullmatch(block) is not None
