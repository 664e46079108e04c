"""What a caller can make a real gateway hold: answers that are long, and that nobody takes."""

from __future__ import annotations

import itertools
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from adapters.store import EventSourcedStore, open_for_writing
from domain.application.operators import SYSTEM
from domain.application.recorded_events import CommandMetadata
from domain.application.sessions import OwnerSession, TaskFlows
from domain.flow.commands import CreateFlow
from domain.flow.ids import Owner, RequestId
from domain.flow.values import Json
from tests.whole.answers import Answer, read_answers
from tests.whole.gateway import RunningGateway
from tests.whole.honest import ask, gateway_under_attack, received, webhook
from tests.whole.vitals import eventually

OWNER = Owner("agent:main:main")
ORIGIN = CommandMetadata(actor=SYSTEM, request_id=RequestId("r"))
STATE = Json(f'"{"x" * 261_000}"')
FLOWS = 200
MOST_MEMORY = 256
LIST = webhook(b'{"action":"list_flows"}', "Connection: close")


def session_of(store: EventSourcedStore) -> OwnerSession:
    numbers = itertools.count(1)
    flows = TaskFlows(store, lambda: 0, lambda: f"id-{next(numbers)}")
    return flows.bind_session(OWNER)


def peak(gateway: RunningGateway) -> int:
    """Return the most memory that a gateway has held, in MiB."""
    status = Path(f"/proc/{gateway.pid}/status").read_text(encoding="ascii")
    (kilobytes,) = re.findall(r"^VmHWM:\s+(\d+)", status, re.MULTILINE)
    return int(kilobytes) // 1024


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[RunningGateway]:
    made = gateway_under_attack(tmp_path, inFlight=8)
    with closing(open_for_writing(f"sqlite:///{made.database}")) as store:
        session = session_of(store)
        for _ in range(FLOWS):
            session.execute(CreateFlow(goal="g", controller_id="c", state_json=STATE), ORIGIN)
    with made:
        yield made


def is_alive(gateway: RunningGateway) -> bool:
    request = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    return ask(gateway.place, request).status == 200


def test_eight_long_lists_at_once_are_answered_within_bounds(gateway: RunningGateway) -> None:
    answers: list[Answer] = []

    def list_all() -> None:
        with socket.create_connection((gateway.place.host, gateway.place.port), 60.0) as sock:
            sock.sendall(LIST)
            answers.extend(read_answers(received(sock)))

    threads = [threading.Thread(target=list_all) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert is_alive(gateway)
    for thread in threads:
        thread.join()
    assert [answer.status for answer in answers] == [200] * 8
    assert all(len(answer.body) <= 8_388_608 for answer in answers)
    assert peak(gateway) < MOST_MEMORY


def test_answers_that_nobody_takes_are_bounded(gateway: RunningGateway) -> None:
    with ExitStack() as stack:
        begun: list[bytes] = []
        for _ in range(40):
            sock = stack.enter_context(socket.socket())
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            sock.settimeout(60.0)
            sock.connect((gateway.place.host, gateway.place.port))
            sock.sendall(LIST)
            begun.append(sock.recv(12))
        assert begun == [b"HTTP/1.1 200"] * 8 + [b"HTTP/1.1 429"] * 32
        assert is_alive(gateway)
        assert peak(gateway) < MOST_MEMORY
    eventually(lambda: ask(gateway.place, LIST).status == 200, "the places are free again")
