"""The bytes that a recorded request becomes, seen from the other end of a real socket."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import define, evolve, field

from tests.contract import recording, routes
from tests.contract.bindings import Bindings
from tests.contract.body_text import is_ambiguous
from tests.contract.json_structure import depth
from tests.contract.recording import Line, line_of
from tests.contract.replay import DATA, main
from tests.contract.scenes import Writer
from tests.contract.wire_client import Address, Observed, Wire

ANSWER = b"HTTP/1.1 200 OK\r\nX-Twice: a\r\nX-Twice: b\r\nContent-Length: 2\r\n\r\n{}"
NOW = 1_700_000_000_000


@define
class Listener:
    """Takes one connection, and answers once what it waits for has come."""

    listening: socket.socket
    received: bytearray = field(factory=bytearray)

    @property
    def wire(self) -> Wire:
        """What sends to it."""
        return Wire(Address(*self.listening.getsockname()), timeout=5.0)

    def serve(self, until: bytes, answer: bytes) -> None:
        """Read up to some bytes, then answer and hang up."""
        connection, _ = self.listening.accept()
        with connection:
            while until not in self.received:
                self.received += connection.recv(65_536)
            connection.sendall(answer)


@contextmanager
def listening(until: bytes, answer: bytes = ANSWER) -> Iterator[Listener]:
    """Listen for one connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        listener = Listener(server)
        thread = threading.Thread(target=listener.serve, args=(until, answer))
        thread.start()
        yield listener
        thread.join(timeout=5.0)


def line(**request: object) -> Line:
    """Make a line with a request of this kind."""
    transport = request.pop("transport", None)
    asked = {"method": "POST", "path": "/x", "headers": {}, **request}
    return line_of(
        {
            "scenario": "s",
            "seq": 1,
            "name": "s/n",
            "client_ip": "192.0.2.1",
            "request": asked,
            "transport": transport,
            "response": {"status": 200, "headers": {}, "body": ""},
        }
    )


def sent(asked: Line, until: bytes, body_seconds: float = 15.0) -> tuple[list[bytes], bytes]:
    """Send a line's request; give the lines of its head and its body as they arrive."""
    with listening(until) as listener:
        outgoing = Writer(body_seconds).outgoing(asked, asked.client, BOUND, NOW)
        assert listener.wire.exchange(outgoing).status == 200
    head, _, body = bytes(listener.received).partition(b"\r\n\r\n")
    return head.split(b"\r\n"), body


BOUND = Bindings().bind({"flow1": "0b9cde12-1111-4222-8333-944445555666"})


def test_method_target_and_headers_go_out_as_recorded() -> None:
    pairs = [["B", "1"], ["A", "  caf\u00e9 "], ["B", "2"]]
    head, body = sent(line(method="foo", path="/a\\b/./c#d", headers=pairs, body="{}"), b"{}")
    assert head[0] == b"foo /a\\b/./c#d HTTP/1.1"
    assert head[2:5] == [b"B: 1", b"A:   caf\xe9 ", b"B: 2"]
    assert head[5:] == [b"X-Forwarded-For: 192.0.2.1", b"Content-Length: 2", b"Connection: close"]
    assert body == b"{}"


@pytest.mark.parametrize(
    ("request_body", "content"),
    [
        ({"body": '{"f": "${flow1}"}'}, b'{"f": "0b9cde12-1111-4222-8333-944445555666"}'),
        ({"body": "${flow1|upper}"}, b"0B9CDE12-1111-4222-8333-944445555666"),
        ({"body": "${flow1|first13}"}, b"0b9cde12-1111"),
        ({"body": '{"t": "${now}"}'}, b'{"t": 1700000000000}'),
        ({"body": "${unknown}"}, b"missing-unknown"),
        ({"body_b64": "77u/e30="}, b"\xef\xbb\xbf{}"),
        ({"body_repeat": ["[", "x", 3, "]"]}, b"[xxx]"),
        ({"body_repeat": {"prefix": "[", "character": "x", "count": 3, "suffix": "]"}}, b"[xxx]"),
        ({"body_template": '{"a":[*3 ]*3}'}, b'{"a":[[[]]]}'),
    ],
)
def test_a_body_is_what_the_recording_says(request_body: dict[str, object], content: bytes) -> None:
    head, body = sent(line(**request_body), content)
    assert body == content
    assert f"Content-Length: {len(content)}".encode() in head


def test_a_declared_length_may_differ_from_the_bytes() -> None:
    head, body = sent(line(body="{}", transport={"declared_length": 99}), b"{}")
    assert (b"Content-Length: 99" in head, body) == (True, b"{}")


def test_a_chunked_body_has_no_length() -> None:
    head, body = sent(line(body="abcde", transport={"chunked": True}), b"0\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in head
    assert body == b"2\r\nab\r\n2\r\ncd\r\n1\r\ne\r\n0\r\n\r\n"


def test_a_request_without_a_body_declares_none() -> None:
    head, _ = sent(line(method="GET", body=""), b"close\r\n\r\n")
    assert [field for field in head if field.startswith(b"Content-Length")] == []


def test_a_slow_body_ends_when_the_gateway_has_spoken() -> None:
    slow = line(body="abcdef", transport={"parts": [[2, 600], [4, 0]]})
    _, body = sent(slow, b"\r\n\r\nab")
    assert body == b"ab"


def test_pauses_shrink_with_the_deadline_of_the_gateway() -> None:
    slow = line(body="abcdef", transport={"parts": [[2, 15], [4, 0]]})
    _, body = sent(slow, b"\r\n\r\nabcdef", body_seconds=0.01)
    assert body == b"abcdef"


def test_a_held_request_gets_its_answer_with_its_body() -> None:
    with listening(b"\r\n\r\n{}") as listener:
        outgoing = Writer(15.0).outgoing(line(body="{}"), "192.0.2.1", BOUND, NOW)
        held = listener.wire.hold(outgoing)
        assert held.finish().status == 200
    assert bytes(listener.received).endswith(b"\r\n\r\n{}")


def test_an_answer_keeps_its_repeated_headers() -> None:
    with listening(b"{}") as listener:
        outgoing = Writer(15.0).outgoing(line(body="{}"), "192.0.2.1", BOUND, NOW)
        observed = listener.wire.exchange(outgoing)
    assert observed.headers == (("X-Twice", "a"), ("X-Twice", "b"), ("Content-Length", "2"))


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"])
def test_half_an_answer_is_none(answer: bytes) -> None:
    with listening(b"{}", answer) as listener:
        outgoing = Writer(15.0).outgoing(line(body="{}"), "192.0.2.1", BOUND, NOW)
        observed = listener.wire.exchange(outgoing)
    assert evolve(observed, seconds=0.0, trouble="") == Observed(None)


def test_the_whole_recording_is_read() -> None:
    assert len(recording.read(DATA / "reference.jsonl")) == 932


def test_the_routes_are_read_with_their_secrets() -> None:
    found = routes.read(DATA / "gateway.json5")
    paths = {route.route_id: (route.path, route.secret) for route in found.by_path.values()}
    assert paths["twin"] == ("/plugins/webhooks/twin", "plain-secret-twin")
    assert paths["file"] == ("/plugins/webhooks/file", "file-secret-value")
    assert paths["other"][1] == "env-secret-value"
    assert paths["padded"][1] == "padded-secret"
    assert paths["broken"][1] is None
    assert "off" not in paths


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"a": 1}', False),
        (b' \n{"a": 1}\t', False),
        (b'{"a": 1', False),
        (b'{"a": NaN}', False),
        (b'{"a": 1, "a": 2}', True),
        (b'{"a": {"b": 1, "b": 2}}', True),
        (b'\xef\xbb\xbf{"a": 1}', False),
        (b'\xef\xbb\xbf\xef\xbb\xbf{"a": 1}', True),
        (b'{"a": 1}\xef\xbb\xbf', True),
        (b'{"a": "\xff"}', True),
        (b'{"a": "\\ud800"}', True),
        (b'{"a": "\\ud83d\\ude00"}', False),
        (b'{"\\u0000": 1}', True),
    ],
)
def test_a_body_is_ambiguous_where_two_readers_may_differ(body: bytes, *, expected: bool) -> None:
    assert is_ambiguous(body) is expected


def test_brackets_inside_strings_do_not_nest() -> None:
    assert [depth(text) for text in ('{"a": [[]]}', '{"[[": "\\"[["}', "1", '{"[[')] == [3, 1, 0, 1]


def test_the_command_line_tells_a_difference_by_its_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "recording.jsonl"
    with (DATA / "reference.jsonl").open(encoding="utf-8") as lines:
        file.write_text(next(lines), encoding="utf-8")
    with listening(b"}") as listener:
        host, port = listener.listening.getsockname()
        code = main([str(file), "--url", f"http://{host}:{port}", "--verbose"])
    assert (code, "empty-session/list" in capsys.readouterr().out) == (1, True)
