"""Thousands of damaged requests."""

import random
from collections.abc import Iterator

from adapters.server.errors import HttpError
from adapters.server.exchange import open_exchange
from adapters.server.head import begins_request, read_head, take_head
from domain.flow.ids import RequestId
from tests.server.running import serving
from tests.server.wire import Caller, calling, chunked, request

CORPUS = (
    request(),
    request(method="HEAD"),
    request(body=b'{"action": "list_flows"}'),
    request("Transfer-Encoding: chunked") + chunked(b"one", b"two" * 30),
    request("Transfer-Encoding: chunked") + b"3;a=b\r\none\r\n0\r\nX: y\r\n\r\n",
    request("Expect: 100-continue", body=b"12345"),
    request("Expect: 100-continue", "Content-Length: 9") + b"x",
    request("Content-Length: 5001"),
    request("Transfer-Encoding: gzip, chunked"),
    request("Connection: close", "Authorization: Bearer x", "Authorization: y", body=b"x"),
    request("Connection: keep-alive", version="1.0", body=b"x" * 40),
    request(target="/a") + request(target="/b", body=b"x") + request(target="/c"),
)

SCRAPS = (
    *(bytes([byte]) for byte in b"\r\n\0\t :;,/?#%0aF+-\x7f\x80\xff"),
    b"\r\n",
    b"\r\n\r\n",
    b"\n\n",
    b" HTTP/1.1",
    b"HTTP/2.0",
    b"\r\nHost: y",
    b"\r\nContent-Length: 5",
    b"\r\nContent-Length: 5, 5",
    b"\r\nContent-Length: " + b"9" * 5_000,
    b"\r\nTransfer-Encoding: chunked",
    b"\r\nTransfer-Encoding: gzip, chunked",
    b"\r\nTransfer-Encoding:\x0bchunked",
    b"\r\nExpect: 100-continue",
    b"\r\n folded",
    b"X" * 9_000,
    b"ffffffffffffffff\r\n",
    b"0\r\n\r\n",
    b"http://[::1/",
)


def damaged(dice: random.Random) -> bytes:
    data = bytearray(dice.choice(CORPUS))
    for _ in range(dice.randint(0, 4)):
        start = dice.randrange(len(data) + 1)
        end = min(len(data), start + dice.choice((0, 0, 1, 2, 8, 60)))
        scrap = dice.choice((b"", dice.choice(SCRAPS), bytes(data[end : end + 30])))
        data[start:end] = scrap
    return bytes(data) or b"\0"


def answers(caller: Caller, data: bytes) -> Iterator[int]:
    """Send `data`, then nothing more, and yield the statuses that come back."""
    caller.send(data)
    caller.socket.shutdown(1)
    lines = caller.rest().split(b"HTTP/1.1 ")[1:]
    return (int(line[:3]) for line in lines)


def test_damaged_requests_are_served_or_refused_and_nothing_else() -> None:
    dice = random.Random(20_260_610)  # noqa: S311 - a seed, not a secret
    seen: set[int] = set()
    with serving(body_bytes=5_000, head_bytes=8_000) as running:
        for _ in range(5_000):
            with calling(running.address) as caller:
                seen |= set(answers(caller, damaged(dice)))
        with calling(running.address) as caller:
            assert caller.ask(request()).status == 200
    assert seen == {100, 200, 400, 413, 417, 431, 501}


def read(pieces: list[bytes]) -> list[object]:
    """Read requests out of `pieces`, up to the first that is refused or incomplete."""
    inbox = bytearray()
    requests: list[object] = []
    exchange = None
    for piece in pieces:
        inbox += piece
        while exchange or begins_request(inbox):
            if exchange is None:
                raw = take_head(inbox, 8_000)
                if not isinstance(raw, bytes):
                    if raw is None:
                        break
                    return [*requests, "refused"]
                head = read_head(raw, peer="", new_id=lambda: RequestId(""))
                opened = head if isinstance(head, HttpError) else open_exchange(head, 5_000)
                if isinstance(opened, HttpError):
                    return [*requests, "refused"]
                exchange = opened
            progress = exchange.body.take(inbox)
            if isinstance(progress, HttpError):
                return [*requests, "refused"]
            if not progress:
                break
            requests.append((exchange.head, bytes(exchange.body.content)))
            exchange = None
    return requests


def test_the_same_requests_are_read_however_the_bytes_are_cut() -> None:
    dice = random.Random(20_260_611)  # noqa: S311 - a seed, not a secret
    for _ in range(2_000):
        data = damaged(dice)
        cuts = sorted(dice.randrange(len(data) + 1) for _ in range(dice.randint(1, 8)))
        pieces = [data[start:end] for start, end in zip([0, *cuts], [*cuts, None], strict=True)]
        assert read(pieces) == read([data]), data
