"""An honest caller of the contract's gateway, and what a test may ask the gateway afterwards."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.whole.answers import Answer, read_answers
from tests.whole.gateway import Place, RunningGateway
from tests.whole.vitals import eventually

PATH = "/plugins/webhooks/zapier"
FIELDS = (
    "Host: gateway",
    "Authorization: Bearer plain-secret-zapier",
    "Content-Type: application/json",
)
PATIENCE = 20.0
"""Seconds after which a silent gateway fails a test."""

_NOBODY: set[str] = set()
"""The ids of requests that `logged` made."""

UNLIMITED = {"rateRequests": 1_000_000, "inFlight": 1_000}


def gateway_under_attack(folder: Path, **limits: float) -> RunningGateway:
    """Make a gateway with short deadlines that limits nobody's rate and logs JSON lines."""
    own = {
        "limits": {**UNLIMITED, "headSeconds": 1, "bodySeconds": 1, **limits},
        # NOTE: else an ordinary user cannot look at its sockets in /proc.
        "server": {"idleSeconds": 1, "coreDumps": True},
    }
    gateway = RunningGateway.of_contract(folder, own)
    gateway.options = ("--json",)
    return gateway


def webhook(body: bytes, *fields: str, target: str = PATH) -> bytes:
    """Write a well-formed webhook request; `fields` are further header lines."""
    lines = (f"POST {target} HTTP/1.1", *FIELDS, *fields, f"Content-Length: {len(body)}", "", "")
    return "\r\n".join(lines).encode() + body


def creating(goal: str) -> bytes:
    """Write the body that creates a flow."""
    return json.dumps({"action": "create_flow", "goal": goal}).encode()


def ask(place: Place, request: bytes) -> Answer:
    """Send one request that ends its connection, and read its answer."""
    with socket.create_connection((place.host, place.port), PATIENCE) as sock:
        sock.sendall(request)
        (answer,) = read_answers(received(sock))
        return answer


def received(sock: socket.socket) -> bytes:
    """Read all that comes until the other end closes in good order."""
    return b"".join(iter(lambda: sock.recv(65_536), b""))


def created_goals(place: Place) -> set[str]:
    """Return the goals of all flows that anybody made on the route."""
    return {flow["goal"] for page in _pages(place) for flow in page["flows"]}


def _pages(place: Place) -> Iterator[Mapping[str, Any]]:
    cursor: dict[str, str] = {}
    while True:
        body = json.dumps({"action": "list_flows", **cursor}).encode()
        page: Mapping[str, Any] = ask(place, webhook(body, "Connection: close")).json["result"]
        yield page
        if "nextCursor" not in page:
            return
        cursor = {"cursor": page["nextCursor"]}


def logged(gateway: RunningGateway) -> list[Mapping[str, Any]]:
    """Return the records of a gateway's log, each from one line of JSON.

    Lines are written in their order, but a little late: so one more request is made, by nobody, and
    when that is in the log everything before it is.
    """
    if gateway.process.poll() is None:
        answer = ask(gateway.place, b"GET /nobody HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        _NOBODY.add(answer.request_id)
        eventually(lambda: answer.request_id in _whole_lines(gateway), "the last one is logged")
    lines = _whole_lines(gateway).splitlines()
    records = [json.loads(line) for line in lines if not line.startswith("listening on ")]
    return [record for record in records if record.get("request_id") not in _NOBODY]


def _whole_lines(gateway: RunningGateway) -> str:
    """Return a log up to the end of a line: the next one may be half written."""
    return gateway.logs.rpartition("\n")[0]


def logged_requests(gateway: RunningGateway) -> Iterator[tuple[str, int]]:
    """Yield the id and status of each request in a gateway's log."""
    for record in logged(gateway):
        if record["event"] == "request":
            yield record["request_id"], record["status"]


def alarms(gateway: RunningGateway) -> list[str]:
    """Return what a gateway logged that no caller should be able to make it log."""
    began = False
    loud: list[str] = []
    for record in logged(gateway):
        began = began or record["event"] == "listening"
        if began and (record["level"] != "INFO" or "traceback" in record):
            loud.append(json.dumps(record))
    return loud
