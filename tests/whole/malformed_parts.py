"""What the generator of malformed requests puts in the place of what belongs there."""

from __future__ import annotations

from tests.whole.honest import PATH

_TARGET = PATH.encode()

LINE = (
    # method
    (
        *(b"", b"post", b"FOO", b"P\x00ST", b"(POST)", b"P" * 32, b"P" * 33, b"P" * 20_000),
        *(b"\xffPOST", b"POST:", b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"CONNECT", b"PRI"),
        *(b" POST", b"\tPOST", b"\r\nPOST", b"\nPOST", b"WEBSOCKET", b"__proto__"),
    ),
    # blank
    (b"", b"  ", b"\t", b"\x0b", b"\x0c", b"\xa0", b"\r", b"\n", b"\x00", b" \x00", b"\r\n"),
    # target
    (
        *(b"", b"*", b"/", b"//", b"/../..", b"gateway:443", b"\\plugins", b"?", b"#"),
        *(b"/%zz", b"/%00", b"/%", b"/\xff\xfe", b"/\x00", b"/\x7f", b"/a b", b"/" + b"a" * 20_000),
        *(
            b"http://[::1/x",
            b"http://evil" + _TARGET,
            b"http://a:99999999/",
            b"https:",
            b"//evil/x",
        ),
        *(_TARGET + b"#fragment", _TARGET + b"?x=%00", _TARGET + b"/", b"/." + _TARGET),
        *(_TARGET.upper(), _TARGET.replace(b"/", b"%2f"), _TARGET + b"\r", _TARGET + b"\n"),
    ),
    # blank
    (b"", b"  ", b"\t", b"\x0b", b"\xa0", b"\r", b"\n", b"\x00", b" x ", b"\r\n"),
    # version
    (
        *(
            b"",
            b"HTTP/0.9",
            b"HTTP/1.0",
            b"HTTP/1.2",
            b"HTTP/2.0",
            b"HTTP/3",
            b"HTTP/1",
            b"HTTP/11",
        ),
        *(b"http/1.1", b"HTTP/1.1 ", b" HTTP/1.1", b"HTTP/1.1\t", b"HTTP/1.1\x00", b"HTTP/1.1\r"),
        *(b"HTTP/-1.1", b"HTTP/01.1", b"HTTP/1.10", b"HTTP/\xb9.\xb9", b"HTTP/1,1", b"ICY/1.1"),
    ),
)

FIELDS = (
    *(b"", b":", b": x", b"X", b"X Y: z", b"X : y", b"X\t: y", b" X: y", b"\tX: y", b"X:\r y"),
    *(b"X\x00: y", b"X: \x00", b"X: \x01", b"X: y\x7f", b"X: y\nZ: z", b"X: y\rZ: z", b"X: y\n"),
    *(
        b"X: y\r",
        b"X: y\r\r",
        b"X: y\r\n z",
        b"X: y\r\n\tz",
        b"(X): y",
        b"X\xe9: y",
        b"X: \xff\xfe",
    ),
    *(b"Host: other", b"Host:", b"Host: a/b", b"Host: a b", b"Host: a@b", b"Host : gateway"),
    *(b"X: " + b"y" * 20_000, b"X" * 20_000 + b": y", b"\r\n".join([b"X: y"] * 101)),
    *(b"Authorization: Bearer other", b"Authorization:", b"Authorization: Bearer \xff"),
    *(b"Content-Type: text/plain", b"Content-Type: application/json;charset=\xff"),
    *(b"Content-Encoding: gzip", b"Content-Encoding: \x80", b"Idempotency-Key: " + b"k" * 300),
    *(b"Idempotency-Key: a\r\nIdempotency-Key: b", b"Idempotency-Key:", b"Idempotency-Key: \xe9"),
    *(b"Expect: 100-continue", b"Expect: 200-ok", b"Expect:", b"Expect: 100-continue, x"),
    *(b"Connection: close", b"Connection: Content-Length", b"Connection: \x00", b"Connection: ,,,"),
    *(b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk",),
    *(b"Content-Length", b"Content-Length: 0", b"content_length: 5", b"Content Length: 5"),
    *(b"Transfer-Encoding", b"Transfer_Encoding: chunked", b"Trailer: Content-Length", b"TE: x"),
    *(
        b"X-Forwarded-For: " + b"1.2.3.4, " * 500,
        b"X-Forwarded-For: \xff",
        b"X-Forwarded-For: ::%1",
    ),
    *(
        b"X-Openclaw-Webhook-Secret: other",
        b"Range: bytes=0-0",
        b"If-Match: *",
        b"Max-Forwards: -1",
    ),
)


def _alone(*lines: bytes) -> tuple[tuple[bytes, ...], ...]:
    return tuple((line,) for line in lines)


def _coded(*values: bytes) -> tuple[tuple[bytes, ...], ...]:
    return tuple((b"Transfer-Encoding: " + value,) for value in values)


# Lines that say where a body ends; <n> stands for its true length.
LENGTHS = (
    (b"Content-Length: <n>", b"Content-Length: <n>"),
    (b"Content-Length: <n>", b"Content-Length: 1<n>"),
    (b"Content-Length: 0", b"Content-Length: <n>"),
    (b"Content-Length: <n>", b"Transfer-Encoding: chunked"),
    (b"Transfer-Encoding: chunked", b"Content-Length: <n>"),
    *_alone(b"Content-Length: 5, 5", b"Content-Length: <n>,", b"Content-Length: <n>,<n>"),
    *_alone(b"Content-Length: +<n>", b"Content-Length: -<n>", b"Content-Length: 0x<n>"),
    *_alone(b"Content-Length: <n>.0", b"Content-Length: <n>e0", b"Content-Length: <n>_0"),
    *_alone(b"Content-Length: <n> 0", b'Content-Length: "<n>"', b"Content-Length: <n>;"),
    *_alone(b"Content-Length : <n>", b" Content-Length: <n>", b"Content-Length:\r\n <n>"),
    *_alone(b"Content-Length: \x0b<n>", b"Content-Length: <n>\x00", b"Content-Length:"),
    *_alone(b"Content-Length: \xb2\xb3", b"Content-Length: NaN", b"Content_Length: <n>"),
    *_alone(b"Content-Length: 0000<n>", b"Content-Length:<n>", b"CONTENT-LENGTH:\t<n> "),
    *_alone(b"Content-Length: 18446744073709551617", b"Content-Length: 9" + b"9" * 5_000),
    (),
)

CODINGS = (
    *_coded(b"", b"xchunked", b"chunkedx", b"chunk", b"identity", b"cow", b"gzip", b"chunked,"),
    *_coded(b"gzip, chunked", b"chunked, gzip", b",chunked", b"chunked;a=b", b'"chunked"'),
    *_coded(b"\x0bchunked", b"chunked\x0c", b"\x00chunked", b"chunked\xa0", b"\xffchunked"),
    *_coded(b"chunked chunked", b"chunked, chunked", b"\r\n chunked", b"chunked\r"),
    (b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"),
    (b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked"),
    (b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
    *_alone(b"Transfer-Encoding : chunked", b" Transfer-Encoding: chunked"),
    *_alone(b"Transfer_Encoding: chunked", b"Transfer-Encoding\x00: chunked"),
    *_alone(b"X: y\nTransfer-Encoding: chunked", b"X: y\rTransfer-Encoding: chunked"),
    *_alone(b"transfer-encoding:chunked", b"TRANSFER-ENCODING:\tCHUNKED\t"),
)

CHUNK_LINES = (
    *(b"", b"\r\n", b"<size>", b"<size>\n", b"<size>\r", b"<size> \r\n", b" <size>\r\n", b"\n\r\n"),
    *(b"0x<size>\r\n", b"+<size>\r\n", b"-<size>\r\n", b"-1\r\n", b"<size>_0\r\n", b"<size>.0\r\n"),
    *(b"<size>;\r\n", b"<size>;\n", b"<size>;a=b\r\n", b"<size>;a\rb\r\n", b"<size>;a\nb\r\n"),
    *(b"<size>;\x00\r\n", b"<size>;" + b"a" * 2_000 + b"\r\n", b"<size>,1\r\n", b"<size>\x00\r\n"),
    *(b"00000000000000000<size>\r\n", b"ffffffffffffffff\r\n", b"1ffffffffffffffff\r\n"),
    *(b"8000000000000000\r\n", b"40001\r\n", b"<size>0\r\n", b"0\r\n", b"1\r\n", b"zz\r\n"),
    *(b"0\r\nContent-Length: 5\r\n", b"0\r\nnonsense\r\n", b"0\r\nX: y\r\n z\r\n", b"0\r\nX: y\n"),
)

CHUNK_ENDS = (
    *(b"", b"\r", b"\n", b"\n\r", b"\r\r", b"\r\n\r\n", b"XX", b"\x00\x00", b" \r\n", b"more\r\n"),
)

_OPEN = b'{"action": "create_flow", "goal": "own", "stateJson": '

BODIES = (
    *(b"", b" ", b"{", b"}", b"[]", b"null", b"1", b'"x"', b"\x00", b"{}{}", b"{} x", b"nul"),
    *(b'{"action": 1}', b'{"action": "other"}', b'{"action": "create_flow"}', b'{"action": null}'),
    *(
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b"\xc2\xa0{}",
        b"'x'",
        b"{'a': 1}",
        b"{,}",
        b"{} //",
    ),
    *(b"[" * 100_000, b'{"a":' * 50_000, b"[" * 129 + b"]" * 129, b'"' + b"a" * 200_000),
    *(_OPEN + b"[" * 127 + b"]" * 127 + b"}", _OPEN + b"[" * 500 + b"]" * 500 + b"}"),
    *(_OPEN + b"9" * 1_001 + b"}", _OPEN + b"-" + b"9" * 100_000 + b"}", _OPEN + b"1e999}"),
    *(_OPEN + b"1e-999}", _OPEN + b"0." + b"1" * 50_000 + b"}", _OPEN + b"NaN}", _OPEN + b"-0}"),
    *(_OPEN + b"Infinity}", _OPEN + b"01}", _OPEN + b"1.}", _OPEN + b"+1}", _OPEN + b"0x1}"),
    *(_OPEN + b'"\xff"}', _OPEN + b'"\xc0\x80"}', _OPEN + b'"\xed\xa0\x80"}', _OPEN + b'"\xf5"}'),
    *(_OPEN + rb'"\ud800"}', _OPEN + rb'"\u0000"}', _OPEN + rb'"\x"}', _OPEN + rb'"\u12"}'),
    *(_OPEN + b'"\n"}', _OPEN + b'"\x1b"}', _OPEN + b'{"a": 1, "a": 2}}', _OPEN + b'{"": {}}}'),
    *(_OPEN + b'{"__proto__": 1}}', _OPEN + b"1, }", _OPEN + b"1", _OPEN + b"}", _OPEN + b"[1,]}"),
    *(b'{"action": "get_flow", "flowId": "\\u0000"}', b'{"action": "get_flow", "flowId": []}'),
    *(b'{"action": "list_flows", "limit": 1e400}', b'{"action": "list_flows", "cursor": "\xff"}'),
    *(b'{"action": "list_flows", "limit": -1}', b'{"action": "list_flows", "cursor": "zzzz"}'),
    *(b'{"action": "set_waiting", "flowId": "x", "expectedRevision": 1' + b"0" * 900 + b"}",),
    *(
        b'{"action": "create_flow", "action": "list_flows", "goal": "x"}',
        b'{"action":"' + b"x" * 99_999,
    ),
)

GREETINGS = (
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10",
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"EHLO gateway\r\n",
    b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
    b"\r\n\r\nGET",
    b'{"action": "create_flow"}',
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"GET /\r\n\r\n",
    b"\r\n" * 2_000,
)

SCRAPS = (
    *(bytes([byte]) for byte in b"\r\n\0\t :;,/?#%0aF+-\x7f\x80\xff"),
    *(b"\r\n", b"\r\n\r\n", b"\n\n", b" HTTP/1.1", b"HTTP/2.0", b"\r\nHost: y", b"\r\n folded"),
    *(
        b"\r\nContent-Length: 5",
        b"\r\nContent-Length: 5, 5",
        b"\r\nContent-Length: " + b"9" * 5_000,
    ),
    *(b"\r\nTransfer-Encoding: chunked", b"\r\nTransfer-Encoding: gzip, chunked"),
    *(b"\r\nTransfer-Encoding:\x0bchunked", b"\r\nExpect: 100-continue", b"X" * 9_000),
    *(b"ffffffffffffffff\r\n", b"0\r\n\r\n", b"http://[::1/", b"\r\nConnection: close"),
)
