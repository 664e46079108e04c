"""What the application is given."""

import io
import socket
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from adapters.server import Head, HeadText
from adapters.server.head import read_head
from domain.flow.ids import RequestId
from tests.server.running import echo, serving
from tests.server.wire import chunked, request
from tests.whole.answers import Answer


def ask(data: bytes) -> Answer:
    with serving() as running, running.calling() as caller:
        return caller.ask(data)


def variables_of(*headers: str, **parts: str) -> dict[str, str]:
    answer = ask(request(*headers, **parts))  # type: ignore[arg-type]
    assert answer.status == 200
    return answer.json["variables"]  # type: ignore[no-any-return]


def test_a_request_reaches_the_application_as_it_was_sent() -> None:
    answer = ask(request("Content-Type: a/b", target="/a%20b?c=%20d?", body=b"\x00\xff body"))
    variables = answer.json["variables"]
    assert answer.status == 200
    assert answer.json["body"] == "\x00\xff body"
    assert {key: variables[key] for key in variables if not key.startswith("SERVER_P")} == {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/a b",
        "QUERY_STRING": "c=%20d?",
        "REQUEST_URI": "/a%20b?c=%20d?",
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "127.0.0.1",
        "CONTENT_TYPE": "a/b",
        "CONTENT_LENGTH": "7",
        "HTTP_HOST": "example",
        "wsgi.url_scheme": "http",
        "taskflow.request_id": "r1",
    }


def test_a_head_is_read_once_and_its_permit_stands_in_the_environment() -> None:
    class Permit:
        is_authenticated = True
        body_bounds = None

        def release(self) -> None: ...

    permit, heads, found = Permit(), [], []

    def admit(head: Head) -> Permit:
        heads.append(head)
        return permit

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        found.append(environ["taskflow.permit"])
        return echo(environ, start_response)

    with serving(app, admit=admit) as running, running.calling() as caller:
        caller.ask(request("X-A: 1", "x-a:  2\t", target="//x?y?z#f"))
    said = HeadText(
        method="POST",
        target="//x?y?z#f",
        version="1.1",
        headers=(("host", "example"), ("x-a", "1"), ("x-a", "2")),
    )
    head = Head(said=said, peer="127.0.0.1", request_id=RequestId("r1"))
    assert (said.path, said.query) == ("//x", "y?z#f")
    assert (heads, found) == ([head], [permit])


def test_what_a_caller_sends_in_headers_is_in_no_repr() -> None:
    heads: list[Head] = []
    with serving(admit=heads.append) as running, running.calling() as caller:
        caller.ask(request("Authorization: Bearer canary"))
    assert heads[0].value("authorization") == "Bearer canary"
    assert "canary" not in repr(heads)


def test_the_body_is_never_spooled_to_a_file() -> None:
    inputs = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        inputs.append(environ["wsgi.input"])
        return echo(environ, start_response)

    with serving(app, body_bytes=2_000_000) as running, running.calling() as caller:
        assert caller.ask(request(body=b"x" * 2_000_000)).status == 200
    assert isinstance(inputs[0], io.BytesIO)


@pytest.mark.parametrize("method", ["post", "FOO", "PROPFIND", "GET", "DELETE"])
def test_any_method_token_passes_as_it_is(method: str) -> None:
    assert variables_of(method=method)["REQUEST_METHOD"] == method


@pytest.mark.parametrize(
    "target",
    [
        "//a//b",
        "*",
        "http://[::1/x",
        "http://another/x?y#z",
        "http://user@example/x",
        "ftp://example/x",
        "/x#y",
        "/%e9%ff%00",
        "/a\\..\\b",
    ],
)
def test_any_target_passes_as_it_is(target: str) -> None:
    assert variables_of(target=target)["REQUEST_URI"] == target


@pytest.mark.parametrize(
    ("target", "origin_form"),
    [
        ("http://example/x?y", "/x?y"),
        ("HTTP://EXAMPLE:80/x", "/x"),
        ("https://example:443/x#z", "/x#z"),
        ("http://example?y", "/?y"),
        ("http://example", "/"),
        ("http://example//x", "//x"),
    ],
)
def test_an_absolute_form_of_our_own_host_is_its_path(target: str, origin_form: str) -> None:
    variables = variables_of(target=target)
    assert variables["REQUEST_URI"] == origin_form
    assert variables["PATH_INFO"] == origin_form.partition("?")[0]


@pytest.mark.parametrize("host", ["example", "Example:", "EXAMPLE:80"])
@pytest.mark.parametrize("authority", ["example", "example:", "example:80"])
def test_the_schemes_own_port_may_be_named_or_empty(authority: str, host: str) -> None:
    line, _, rest = request(target=f"http://{authority}/x").partition(b"\r\n")
    sent = rest.replace(b"Host: example\r\n", f"Host: {host}\r\n".encode())
    assert sent.count(host.encode())
    assert ask(line + b"\r\n" + sent).json["variables"]["REQUEST_URI"] == "/x"


def test_an_absolute_form_without_a_host_beside_it_is_no_path() -> None:
    variables = variables_of(target="http://example/x", version="1.0")
    assert variables["REQUEST_URI"] == "http://example/x"


@pytest.mark.parametrize("target", ["x", "x/y", "?x", "http:/x", "example:80", "", ".", "\\x"])
def test_what_is_no_target_is_refused(target: str) -> None:
    answer = ask(request(target=target))
    assert (answer.status, answer.code) == (400, "bad_request")


def test_an_authority_is_the_target_of_connect_alone() -> None:
    assert ask(request(method="CONNECT", target="example:80")).status == 200


@pytest.mark.parametrize(
    "target", ["/x?\xe9", "/x?y#\xff", "/\xe9", "/\x80", "http://example/\xe9"]
)
def test_bytes_beyond_ascii_are_no_target(target: str) -> None:
    answer = ask(request(target=target))
    assert (answer.status, answer.code) == (400, "bad_request")


def test_slashes_at_the_beginning_of_a_path_are_kept() -> None:
    assert variables_of(target="//plugins/x")["PATH_INFO"] == "//plugins/x"


def test_the_first_of_several_credentials_counts() -> None:
    assert variables_of("Authorization: a", "authorization: b")["HTTP_AUTHORIZATION"] == "a"


def test_the_first_of_several_content_types_counts() -> None:
    assert variables_of("Content-Type: a/b", "Content-Type: c/d")["CONTENT_TYPE"] == "a/b"


@pytest.mark.parametrize("name", ["X-Openclaw-Webhook-Secret", "X-Forwarded-For"])
def test_other_repeated_headers_are_joined_in_order(name: str) -> None:
    variable = f"HTTP_{name.upper().replace('-', '_')}"
    assert variables_of(f"{name}: a", "X-Other: x", f"{name}: b")[variable] == "a, b"


def test_cookies_are_joined_as_cookies() -> None:
    assert variables_of("Cookie: a=b", "Cookie: c=d")["HTTP_COOKIE"] == "a=b; c=d"


def test_an_underscore_in_a_name_never_passes_for_a_dash() -> None:
    sent = ("X_Forwarded_For: spoofed", "Content_Length: 5", "Authorization_: x")
    variables = variables_of(*sent)
    assert not {"HTTP_X_FORWARDED_FOR", "CONTENT_LENGTH", "HTTP_AUTHORIZATION_"} & set(variables)


def test_a_chunked_body_arrives_decoded() -> None:
    coded = chunked(b"one ", b"two")
    answer = ask(request("Transfer-Encoding: Chunked") + coded)
    assert answer.json["body"] == "one two"
    assert answer.json["variables"]["CONTENT_LENGTH"] == "7"
    assert "HTTP_TRANSFER_ENCODING" not in answer.json["variables"]


def test_chunk_extensions_and_trailers_are_thrown_away() -> None:
    coded = b'3;a="b";c\r\none\r\n0;z\r\nX-Trailer: 1\r\nAuthorization: x\r\n\r\n'
    answer = ask(request("Transfer-Encoding: chunked") + coded)
    assert answer.json["body"] == "one"
    assert not {"HTTP_X_TRAILER", "HTTP_AUTHORIZATION"} & set(answer.json["variables"])


def test_a_request_arrives_whole_when_each_byte_comes_alone() -> None:
    data = request("Transfer-Encoding: chunked") + b"3;x\r\none\r\n0\r\nA: b\r\n\r\n"
    with serving() as running, running.calling() as caller:
        for byte in data:
            caller.send(bytes([byte]))
        assert caller.answer().json["body"] == "one"


def test_empty_lines_before_a_request_are_skipped() -> None:
    assert ask(b"\r\n\r\n" + request()).status == 200


def test_answers_carry_a_date_and_do_not_advertise_the_server() -> None:
    headers = ask(request()).headers
    assert set(headers) == {"content-type", "content-length", "date", "connection", "keep-alive"}


def has_version_6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


VERSION_6 = pytest.param(
    "::1", "[::1]", marks=pytest.mark.skipif(not has_version_6(), reason="no IPv6 on this machine")
)


@pytest.mark.parametrize(("host", "written"), [("127.0.0.1", "127.0.0.1"), VERSION_6])
def test_the_server_says_where_it_listens(host: str, written: str) -> None:
    with serving(host=host) as running, running.calling() as caller:
        assert running.server.url == f"http://{written}:{running.server.port}"
        assert caller.ask(request()).json["variables"]["REMOTE_ADDR"] == host


@pytest.mark.parametrize(("padding", "is_remembered"), [(0, True), (2_000, True), (2_048, False)])
def test_a_head_that_comes_again_is_read_once_unless_it_is_long(
    padding: int, *, is_remembered: bool
) -> None:
    raw = request("X: " + "x" * padding)
    first, second = (read_head(raw, peer="", new_id=lambda: RequestId("")) for _ in range(2))
    assert isinstance(first, Head)
    assert isinstance(second, Head)
    assert first.said == second.said
    assert (first.said is second.said) is is_remembered
