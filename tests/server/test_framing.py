"""What could be read in two ways is refused, and its connection closed."""

from collections.abc import Iterator

import pytest

from adapters.server import Head
from tests.server.running import Running, serving
from tests.server.wire import calling, chunked, request

HEADS_SEEN: list[Head] = []


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with serving(admit=HEADS_SEEN.append, head_bytes=8_000) as running:
        yield running


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"

REFUSED_HEADS = {
    "length and coding": request("Content-Length: 4", "Transfer-Encoding: chunked"),
    "coding and length": request("Transfer-Encoding: chunked", "Content-Length: 4"),
    "two lengths": request("Content-Length: 4", "Content-Length: 5"),
    "one length twice": request("Content-Length: 4", "Content-Length: 4"),
    "a list of lengths": request("Content-Length: 4, 4"),
    "a list without blanks": request("Content-Length: 5,5"),
    "a length with a plus": request("Content-Length: +5"),
    "a negative length": request("Content-Length: -5"),
    "a hexadecimal length": request("Content-Length: 0x5"),
    "an empty length": request("Content-Length:"),
    "a length with a blank": request("Content-Length: 5 5"),
    "a length with an underscore": request("Content-Length: 1_0"),
    "a length in other digits": request("Content-Length: \xb2"),
    "a length of 5,000 digits": request(f"Content-Length: {'9' * 5_000}"),
    "a length beyond 64 bits": request("Content-Length: 18446744073709551617"),
    "a coding in HTTP/1.0": request("Transfer-Encoding: chunked", version="1.0"),
    "two codings": request("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    "chunked twice": request("Transfer-Encoding: chunked, chunked"),
    "no final chunked": request("Transfer-Encoding: gzip"),
    "identity": request("Transfer-Encoding: identity"),
    "chunked, then more": request("Transfer-Encoding: chunked, gzip"),
    "chunked with a prefix": request("Transfer-Encoding: xchunked"),
    "chunked with a parameter": request("Transfer-Encoding: chunked;a=b"),
    "chunked in quotes": request('Transfer-Encoding: "chunked"'),
    "chunked after a vertical tab": request("Transfer-Encoding: \x0bchunked"),
    "chunked before 0x85": request("Transfer-Encoding: chunked\x85"),
    "chunked after a comma": request("Transfer-Encoding: ,chunked"),
    "an empty coding": request("Transfer-Encoding:"),
    "a blank before the colon": request("Transfer-Encoding : chunked"),
    "a folded field": request("X-A: b", " c"),
    "a folded first field": b"GET / HTTP/1.1\r\n Host: x\r\n\r\n",
    "a folded coding": request("Transfer-Encoding:", "\tchunked"),
    "a bare LF": b"GET / HTTP/1.1\nHost: x\r\n\r\n",
    "only bare LFs": b"GET / HTTP/1.1\nHost: x\n\n",
    "a bare LF between fields": request("X-A: b\nX-B: c"),
    "a bare LF at the end": b"GET / HTTP/1.1\r\nHost: x\n\r\n\r\n",
    "a bare LF first": b"\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "a bare CR": request("X-A: b\rX-B: c"),
    "a bare CR in the request line": b"GET /\r HTTP/1.1\r\nHost: x\r\n\r\n",
    "CR CR LF": b"GET / HTTP/1.1\r\nHost: x\r\r\n\r\n",
    "NUL in a value": request("X-A: b\x00c"),
    "NUL in a name": request("X-\x00A: b"),
    "NUL in the target": request(target="/a\x00b"),
    "DEL in a value": request("X-A: b\x7f"),
    "a control character": request("X-A: \x01"),
    "a field without a colon": request("Transfer-Encoding"),
    "an empty name": request(": x"),
    "a name in brackets": request("(X): y"),
    "a name in latin-1": request("X-\xe9: y"),
    "no Host": b"GET / HTTP/1.1\r\n\r\n",
    "two Hosts": request("Host: other"),
    "two Hosts in HTTP/1.0": request("Host: a", "Host: b", version="1.0"),
    "a Host with a path": b"GET / HTTP/1.1\r\nHost: x/y\r\n\r\n",
    "a Host with a blank": b"GET / HTTP/1.1\r\nHost: x y\r\n\r\n",
    "a Host with an at sign": b"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
    "two blanks in the request line": b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
    "three parts and a blank": b"GET / HTTP/1.1 \r\nHost: x\r\n\r\n",
    "a tab in the request line": b"GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "a blank in the target": b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
    "a leading blank": b" GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "no target": b"GET HTTP/1.1\r\nHost: x\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/2.0": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/1.2": b"GET / HTTP/1.2\r\nHost: x\r\n\r\n",
    "HTTP/01.1": b"GET / HTTP/01.1\r\nHost: x\r\n\r\n",
    "http in lower case": b"GET / http/1.1\r\nHost: x\r\n\r\n",
    "a method of 33 letters": b"A" * 33 + b" / HTTP/1.1\r\nHost: x\r\n\r\n",
    "a TLS greeting": b"\x16\x03\x01\x02\x00\x01\x00",
    "JSON": b'{"action": "create_flow"}',
}

CHUNKED = request("Transfer-Encoding: chunked")

REFUSED_BODIES = {
    "a size with a prefix": b"0x3\r\none\r\n0\r\n\r\n",
    "a size with a plus": b"+3\r\none\r\n0\r\n\r\n",
    "a negative size": b"-3\r\none\r\n0\r\n\r\n",
    "a size with a blank before": b" 3\r\none\r\n0\r\n\r\n",
    "a size with a blank behind": b"3 \r\none\r\n0\r\n\r\n",
    "a size with an underscore": b"1_0\r\none\r\n0\r\n\r\n",
    "a size of 17 digits": b"00000000000000003\r\none\r\n0\r\n\r\n",
    "no size": b"\r\none\r\n0\r\n\r\n",
    "only an extension": b";a\r\none\r\n0\r\n\r\n",
    "a size that is no number": b"three\r\none\r\n0\r\n\r\n",
    "a size line that ends in LF": b"3\none\r\n0\r\n\r\n",
    "a size line that ends in CR": b"3\rone\r\n0\r\n\r\n",
    "an extension with a CR": b"3;a\rb\r\none\r\n0\r\n\r\n",
    "an extension with a LF": b"3;a\nb\r\none\r\n0\r\n\r\n",
    "an extension with a NUL": b"3;a\x00\r\none\r\n0\r\n\r\n",
    "a long extension": b"3;" + b"a" * 1_100 + b"\r\none\r\n0\r\n\r\n",
    "a size line without an end": b"3;" + b"a" * 1_100,
    "many extensions": (b"1;" + b"a" * 1_000 + b"\r\nx\r\n") * 9 + b"0\r\n\r\n",
    "a chunk that is longer than its size": b"3\r\nonetwo\r\n0\r\n\r\n",
    "a chunk that ends in something else": b"3\r\noneXX0\r\n\r\n",
    "a chunk that ends in LF": b"3\r\none\n0\r\n\r\n",
    "a chunk that ends in CR": b"3\r\none\r0\r\n\r\n",
    "no blank line at the end": b"3\r\none\r\n0\r\n" + SMUGGLED,
    "a last size line that ends in LF": b"3\r\none\r\n0\n\r\n",
    "a trailer that ends in LF": b"0\r\nA: b\n\r\n",
    "a trailer that is no field": b"0\r\nnonsense\r\n\r\n",
    "a trailer that frames": b"0\r\nContent-length: 5\r\n\r\n",
    "a trailer that codes": b"0\r\nTransfer-Encoding:chunked\r\n\r\n",
    "a trailer that routes": b"0\r\nHOST: other\r\n\r\n",
    "a folded trailer": b"0\r\nA: b\r\n c\r\n\r\n",
    "a long trailer": b"0\r\nA: " + b"b" * 1_100 + b"\r\n\r\n",
    "many trailers": b"0\r\n" + (b"A: " + b"b" * 1_000 + b"\r\n") * 9 + b"\r\n",
}


def assert_refused(server: Running, data: bytes) -> None:
    with calling(server.address) as caller:
        caller.send(data + SMUGGLED)
        answer = caller.answer()
        assert (answer.status, answer.code) == (400, "bad_request")
        assert answer.headers["connection"] == "close"
        assert answer.headers["x-request-id"].startswith("r")
        assert caller.rest() == b""


@pytest.mark.parametrize("shape", REFUSED_HEADS)
def test_a_malformed_head_is_refused(server: Running, shape: str) -> None:
    HEADS_SEEN.clear()
    assert_refused(server, REFUSED_HEADS[shape])
    assert HEADS_SEEN == []


@pytest.mark.parametrize("shape", REFUSED_BODIES)
def test_a_malformed_chunked_body_is_refused(server: Running, shape: str) -> None:
    HEADS_SEEN.clear()
    assert_refused(server, CHUNKED + REFUSED_BODIES[shape])
    assert [head.path for head in HEADS_SEEN] == ["/x"]


@pytest.mark.parametrize("coding", ["gzip, chunked", "GZIP,Chunked", "foo , bar,chunked"])
def test_an_unknown_transfer_coding_is_not_implemented(server: Running, coding: str) -> None:
    with server.calling() as caller:
        answer = caller.ask(request(f"Transfer-Encoding: {coding}") + chunked(b"x") + SMUGGLED)
        assert (answer.status, answer.code) == (501, "not_implemented")
        assert caller.rest() == b""


@pytest.mark.parametrize("length", ["5", " 5 ", "\t5", "0005"])
def test_a_length_may_have_blanks_around_it_and_leading_zeros(server: Running, length: str) -> None:
    with server.calling() as caller:
        answer = caller.ask(request(f"Content-Length:{length}") + b"12345")
        assert answer.json["body"] == "12345"
        assert answer.json["variables"]["CONTENT_LENGTH"] == "5"


def test_garbage_is_refused_before_a_head_is_complete(server: Running) -> None:
    with server.calling() as caller:
        assert caller.ask(b"GET / HTTP/1.1\r\nHost: x\n").code == "bad_request"


def test_a_second_request_is_never_read_out_of_a_first(server: Running) -> None:
    HEADS_SEEN.clear()
    with server.calling() as caller:
        assert caller.ask(request(body=SMUGGLED)).json["body"] == SMUGGLED.decode()
        coded = CHUNKED + chunked(SMUGGLED, SMUGGLED)
        assert caller.ask(coded).json["body"] == (SMUGGLED * 2).decode()
    assert [head.path for head in HEADS_SEEN] == ["/x", "/x"]


def test_a_fault_answered_to_head_has_no_body(server: Running) -> None:
    with server.calling() as caller:
        caller.send(request("Content-Length: x", method="HEAD"))
        assert caller.answer("HEAD").status == 400
        assert caller.rest() == b""
