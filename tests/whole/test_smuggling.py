"""Each shape of request smuggling is one request to us, or none; what it hides never happens."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.whole.answers import envelope_fault, read_answers
from tests.whole.gateway import Place, RunningGateway
from tests.whole.honest import (
    PATIENCE,
    alarms,
    created_goals,
    gateway_under_attack,
    logged_requests,
    received,
)
from tests.whole.shapes import SHAPES, Shape


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    folder = tmp_path_factory.mktemp("gateway")
    with gateway_under_attack(Path(folder), headSeconds=20, bodySeconds=20) as running:
        yield running


def sent(place: Place, shape: Shape) -> bytes:
    """Send a shape; where it must end the connection, the gateway is left to do so."""
    with socket.create_connection((place.host, place.port), PATIENCE) as sock:
        sock.sendall(shape.data)
        if not shape.closes:
            sock.shutdown(socket.SHUT_WR)
        return received(sock)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_what_is_smuggled_is_not_executed(gateway: RunningGateway, shape: Shape) -> None:
    answers = read_answers(sent(gateway.place, shape))
    assert [(answer.status, answer.closes) for answer in answers] == [(shape.status, shape.closes)]
    assert envelope_fault(answers[0]) is None
    assert shape.goal not in created_goals(gateway.place)
    assert [s for i, s in logged_requests(gateway) if i == answers[0].request_id] == [shape.status]
    assert alarms(gateway) == []


def test_each_shape_is_another_one() -> None:
    assert len({shape.name for shape in SHAPES}) == len(SHAPES)
    assert all(shape.goal.encode() in shape.data for shape in SHAPES)
