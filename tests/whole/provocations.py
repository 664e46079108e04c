"""Requests that provoke every answer that a gateway has, each with a secret in it."""

from __future__ import annotations

import base64
import json
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from attrs import field, frozen

from tests.whole.callers import PATIENCE_SECONDS, Document
from tests.whole.canaries import MARK, SECRETS, UNSIGNED, WRONG, signature_of
from tests.whole.gateway import RunningGateway
from tests.whole.troubles import locked

RIGHT = SECRETS["inline"]
BEARER = f"Authorization: Bearer {RIGHT}"
JSON = "Content-Type: application/json"
CLOSE = "Connection: close"


def head(request_line: str, *fields: str) -> bytes:
    """Return the head of a request."""
    lines = (request_line, "Host: gateway", *fields, "", "")
    return "\r\n".join(lines).encode("latin-1")


def post(body: str, *fields: str, route: str = "inline", bearer: str = BEARER) -> bytes:
    """Return a request to a route, on a connection of its own."""
    length = f"Content-Length: {len(body.encode())}"
    line = f"POST /plugins/webhooks/{route} HTTP/1.1"
    return head(line, bearer, JSON, CLOSE, length, *fields) + body.encode()


def action(document: Document, *fields: str, route: str = "inline") -> bytes:
    """Return a request for an action, with the right secret of its route."""
    right = f"Authorization: Bearer {SECRETS.get(route, RIGHT)}"
    return post(json.dumps(document), *fields, route=route, bearer=right)


@frozen
class Provoked:
    """All that a gateway has answered, to the byte."""

    gateway: RunningGateway
    answers: list[bytes] = field(factory=list)

    @property
    def codes(self) -> set[str]:
        """The codes of all answers that have one."""
        bodies = (answer.partition(b"\r\n\r\n")[2] for answer in self.answers)
        return {json.loads(body).get("code", "") for body in bodies if body}

    def send(self, octets: bytes) -> Document:
        """Send bytes on a connection of their own, and read until its end; return the result."""
        with self.connect() as sock:
            sock.sendall(octets)
            return self.read(sock)

    def connect(self) -> socket.socket:
        """Open a connection."""
        place = self.gateway.place
        return socket.create_connection((place.host, place.port), timeout=PATIENCE_SECONDS)

    def read(self, sock: socket.socket) -> Document:
        """Read an answer and the end of its connection; return its result."""
        answer = b"".join(iter(lambda: sock.recv(65_536), b""))
        self.answers.append(answer)
        document: Document = json.loads(answer.partition(b"\r\n\r\n")[2] or b"{}")
        result: Document = document.get("result", {})
        return result


def provoke(gateway: RunningGateway) -> Provoked:
    """Have a gateway answer in all the ways it has."""
    provoked = Provoked(gateway)
    for octets in (*_refused_by_the_server(), *_refused_at_the_gate(), *_refused_bodies()):
        provoked.send(octets)
    lead_lives(provoked)
    _hold_a_place(provoked)
    _break_the_store(provoked)
    return provoked


def _refused_by_the_server() -> Iterator[bytes]:
    line = "POST /plugins/webhooks/inline HTTP/1.1"
    yield head(line, f"Authorization : Bearer {RIGHT}")
    yield head(line, BEARER, f" {RIGHT}")
    yield head(line, f"{BEARER}\0")
    yield head(line, BEARER, "Content-Length: 1", "Transfer-Encoding: chunked")
    yield head(f"POST /plugins/webhooks/inline?secret={RIGHT}")
    yield head(f"{RIGHT}")
    yield head(f"POST http://user:{RIGHT}@[::1/x HTTP/1.1", BEARER, CLOSE)
    yield head(line, f"{BEARER}{'x' * 20_000}")
    yield head(line, BEARER, JSON, "Content-Length: 300000")
    yield head(line, BEARER, "Expect: miracles")
    yield head(line, BEARER, "Transfer-Encoding: gzip, chunked")
    yield head(line, BEARER)[:-2]
    yield post(f'{{"secret": "{RIGHT}"}}')[:-1]


def _refused_at_the_gate() -> Iterator[bytes]:
    basic = base64.b64encode(f"user:{WRONG}".encode()).decode()
    yield post("{}", route="nowhere")
    yield post("{}", route=f"nowhere/{RIGHT}?secret={RIGHT}")
    yield head("GET /plugins/webhooks/inline HTTP/1.1", BEARER, CLOSE)
    yield head("POST /plugins/webhooks/inline HTTP/1.1", BEARER, CLOSE, "Content-Length: 0")
    yield post("{}", bearer=f"Authorization: Bearer {WRONG}")
    yield post("{}", bearer=f"x-openclaw-webhook-secret: {WRONG}")
    yield post("{}", bearer=f"Authorization: Basic {basic}")
    yield post("{}", bearer=f"Authorization: {WRONG}", route=f"inline?secret={RIGHT}")
    yield post("{}", bearer=f"Authorization: Bearer {RIGHT}", route="env")
    yield post("{}", route="narrow")
    yield post("{}", route="narrow")
    yield post("{}", route="signed")
    for signature in ("0" * 64, RIGHT):
        field_line = f"X-Hub-Signature-256: sha256={signature}"
        yield post(UNSIGNED, field_line, route="signed", bearer="Accept: */*")
    right = f"X-Hub-Signature-256: sha256={signature_of(b'[]').hexdigest()}"
    yield post("[]", right, route="signed", bearer="Accept: */*")
    yield action({"action": "list_flows"}, route="allowed")


def _refused_bodies() -> Iterator[bytes]:
    """Return bodies with a secret where no secret belongs; they are told what, not with what."""
    yield post(f'{{"secret": "{RIGHT}"')
    yield post(f'{{"secret": "{RIGHT}", "secret": 1}}')
    yield post(f'"{RIGHT}"')
    for field_name in ("action", "secret", "goal", "status", "stateJson", "expectedRevision"):
        document: Document = {"action": "set_waiting", "flowId": "f", "expectedRevision": 0}
        yield action({**document, field_name: [RIGHT]})
        yield action({**document, field_name: {"x": RIGHT}})
    wrong: tuple[Document, ...] = (
        {"action": MARK},
        {"action": "create_flow", "goal": "g", "status": RIGHT},
        {"action": "create_flow", "goal": "g", "secret": RIGHT},
        {"action": "list_flows", "cursor": RIGHT},
        {"action": "list_flows", "limit": RIGHT},
        {"action": "run_task", "flowId": "f", "task": "t", "runtime": RIGHT},
        {"action": "set_waiting", "flowId": "f", "expectedRevision": RIGHT},
    )
    yield from map(action, wrong)
    create = {"action": "create_flow", "goal": "g"}
    yield action(create, f"Idempotency-Key: {RIGHT} {RIGHT}")
    yield action(create, f"Idempotency-Key: {RIGHT}", f"Idempotency-Key: {RIGHT}")


def lead_lives(provoked: Provoked) -> None:
    """Lead a flow of each route through what can become of it."""
    for route in SECRETS:
        created = provoked.send(
            action({"action": "create_flow", "goal": "g"}, "Idempotency-Key: k", route=route)
        )
        at = {"flowId": created["flow"]["flowId"]}
        run = {"action": "run_task", **at, "runtime": "acp", "task": "t"}
        task = provoked.send(action(run, route=route))["task"]
        end = {"action": "update_task", **at, "taskId": task["taskId"], "status": "failed"}
        for document in (
            {"action": "get_flow", **at},
            {"action": "set_waiting", **at, "expectedRevision": 7},
            {"action": "set_waiting", **at, "expectedRevision": 0, "waitJson": None},
            {"action": "cancel_flow", "flowId": "nobody's"},
            {"action": "cancel_flow", **at},
            run,
            {**end, "taskId": "nobody's"},
            end,
            end,
            {"action": "cancel_flow", **at},
        ):
            provoked.send(action(document, route=route))
        provoked.send(
            action({"action": "create_flow", "goal": "h"}, "Idempotency-Key: k", route=route)
        )


def _hold_a_place(provoked: Provoked) -> None:
    whole = action({"action": "find_latest_flow"}, route="single")
    with provoked.connect() as held:
        held.sendall(whole[:-1])
        # NOTE: a second one is admitted until the gateway has read the first one's head.
        while "too_many_in_flight" not in provoked.codes:
            provoked.send(whole)
        held.sendall(whole[-1:])
        provoked.read(held)


def _break_the_store(provoked: Provoked) -> None:
    """Have a write fail, and a fault of ours be found: an event that nobody has written."""
    create = action({"action": "create_flow", "goal": "g"})
    flow_id = provoked.send(create)["flow"]["flowId"]
    with locked(provoked.gateway.database):
        provoked.send(create)
    _spoil(provoked.gateway.database, flow_id)
    provoked.send(action({"action": "get_flow", "flowId": flow_id}))
    provoked.send(action({"action": "cancel_flow", "flowId": flow_id}))


def _spoil(database: Path, flow_id: str) -> None:
    with closing(sqlite3.connect(database)) as other, other:
        spoilt = other.execute(
            "UPDATE stored_events SET state = ? WHERE originator_id = ?", (b'{"x":1}', flow_id)
        )
        other.execute("DELETE FROM stored_snapshots WHERE originator_id = ?", (flow_id,))
        assert spoilt.rowcount == 1
