"""Eight clients of two gateways on one PostgreSQL, of which one part after the other is killed.

In turn: a gateway, a backend of the database (all its connections go with it), the other gateway,
the whole server. A request that is answered 503 may have happened, or may yet happen: it counts as
one without an answer, and is sent again if it has a key. At the end all is as in `concurrent`, and
the log has no gap.
"""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import cycle
from pathlib import Path
from random import Random
from threading import Event
from typing import Final

import psycopg
from attrs import define, field

from adapters.store import StoreAuditLog, migrate, open_for_reading
from adapters.testing.linearizability import call_flow_id, partitioned
from domain.flow.commands import Command
from tests.postgres.server import PATIENCE, Server, new_database, running_server
from tests.prove.board import SIDES, Board, Side, Whereabouts
from tests.prove.clients import Client, NeverAnsweredError
from tests.prove.concurrent import CLIENTS, LOOK_EVERY_SECONDS, OWN, stored_wrong, untrue
from tests.prove.result import SHOWN, Progress, Result, scaled
from tests.whole.callers import Answer, Caller, GoneError, Request
from tests.whole.gateway import RunningGateway

KILLS: Final = 100
CALLS_A_KILL: Final = 100
UNAVAILABLE: Final = 503
FIRST_ANSWER_SECONDS: Final = 2.0


@define(eq=False)
class PatientClient(Client):
    """A client that sends a request with a key, or a question, again when it is answered 503."""

    unavailable: int = 0

    def _exchange(self, side: Side, command: Command, key: str | None) -> Answer:
        reply = super()._exchange(side, command, key)
        if reply.status != UNAVAILABLE:
            return reply
        self.unavailable += 1
        raise NeverAnsweredError

    def _patiently(self, side: Side, request: Request) -> Answer:
        while (reply := super()._patiently(side, request)).status == UNAVAILABLE:
            self.unavailable += 1
            Event().wait(LOOK_EVERY_SECONDS)
        return reply


@define(eq=False)
class _Scene:
    """Two gateways on one database, and where their clients find them."""

    server: Server
    url: str
    gateways: tuple[RunningGateway, RunningGateway]
    whereabouts: tuple[Whereabouts, Whereabouts] = field(
        factory=lambda: (Whereabouts(), Whereabouts())
    )
    first_answers: list[float] = field(factory=list)
    """Seconds from the answer of a database that was gone to that of a gateway."""

    def kills(self) -> Iterator[Callable[[], None]]:
        """Give what to do, one after the other, for ever."""
        yield from cycle(
            (
                lambda: self._kill_gateway(0),
                self._kill_backend,
                lambda: self._kill_gateway(1),
                self._kill_server,
            )
        )

    def _kill_gateway(self, number: int) -> None:
        self.whereabouts[number].move(None)
        self.gateways[number].kill()
        self.gateways[number].start()
        self.whereabouts[number].move(self.gateways[number].place)

    def _kill_backend(self) -> None:
        with closing(psycopg.connect(self.url, autocommit=True)) as admin:
            self.server.signal_one(admin.info.backend_pid, signal.SIGKILL)
        self._measure()

    def _kill_server(self) -> None:
        self.server.kill()
        self.server.start()
        self._measure()

    def _measure(self) -> None:
        """Wait for the database, and then for the gateways."""
        end = time.monotonic() + PATIENCE
        while not self.server.answers() and time.monotonic() < end:
            time.sleep(0.01)
        began = time.monotonic()
        for gateway in self.gateways:
            while not _answers(gateway) and time.monotonic() < end:
                time.sleep(0.01)
        self.first_answers.append(time.monotonic() - began)


def _answers(gateway: RunningGateway) -> bool:
    with closing(Caller(gateway.place, SIDES[0].door)) as caller:
        try:
            return caller.ask(Request({"action": "find_latest_flow"})).status != UNAVAILABLE
        except GoneError:
            return False


def run(scale: float, progress: Progress) -> Result:
    """Prove that clients of two gateways are told one true story, whatever is killed."""
    kills = scaled(KILLS, scale, least=4)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        server = stack.enter_context(running_server())
        url = stack.enter_context(new_database(server.url))
        migrate(url)
        scene = _Scene(
            server, url, (_gateway(Path(folder) / "a", url), _gateway(Path(folder) / "b", url))
        )
        clients = _work(scene, kills, progress)
        violations = [fault for client in clients for fault in client.faults]
        violations += [*_gaps(url), *stored_wrong(url)]
    history = [operation for client in clients for operation in client.history]
    flows = partitioned(history, call_flow_id)
    violations += untrue(list(flows.values()), progress)
    slowest = max(scene.first_answers)
    if slowest > FIRST_ANSWER_SECONDS:
        violations.append(f"a gateway answered {slowest:.1f} s after its database")
    return Result(
        tried="8 clients of two gateways on one PostgreSQL; gateways, backends and server killed",
        counts={
            "calls": len(history),
            "flows": len(flows),
            "kills": kills,
            "answers 503": sum(client.unavailable for client in clients),
            "lost answers": sum(client.lost_answers for client in clients),
            "calls never answered": sum(operation.is_pending for operation in history),
            "slowest first answer, ms": round(slowest * 1000),
        },
        violations=tuple(violations[:SHOWN]),
    )


def _gateway(folder: Path, url: str) -> RunningGateway:
    folder.mkdir()
    gateway = RunningGateway.of_contract(folder, OWN)
    gateway.store = url
    return gateway


def _work(scene: _Scene, kills: int, progress: Progress) -> list[PatientClient]:
    board, stopping = Board(), Event()
    clients = [
        PatientClient(number, board, scene.whereabouts[number % 2], Random(number))  # noqa: S311 - no secret
        for number in range(CLIENTS)
    ]
    with ExitStack() as stack:
        for gateway, whereabouts in zip(scene.gateways, scene.whereabouts, strict=True):
            stack.enter_context(gateway)
            whereabouts.move(gateway.place)
        pool = stack.enter_context(ThreadPoolExecutor(CLIENTS))
        for client in clients:
            stack.callback(client.close)
        for whereabouts in scene.whereabouts:
            stack.callback(whereabouts.end)  # first, so that no client waits for ever
        stack.callback(stopping.set)
        working = [pool.submit(_run, client, stopping) for client in clients]
        for number, kill in zip(range(kills), scene.kills(), strict=False):
            _wait_for_calls(clients, working, (number + 1) * CALLS_A_KILL)
            kill()
            progress(number + 1, kills)
        _wait_for_calls(clients, working, (kills + 1) * CALLS_A_KILL)
        stopping.set()
        for each in working:
            each.result()
        for target in board.places.values():
            clients[0].look_at_last(target)
    return clients


def _run(client: PatientClient, stopping: Event) -> None:
    while not stopping.is_set():
        client.run(len(client.history) + 1)


def _wait_for_calls(clients: list[PatientClient], working: list[Future[None]], calls: int) -> None:
    while sum(len(client.history) for client in clients) < calls:
        for each in working:
            if each.done():
                each.result()  # it has raised
        Event().wait(LOOK_EVERY_SECONDS)


def _gaps(url: str) -> Iterator[str]:
    with closing(open_for_reading(url)) as store:
        positions = [entry.position for entry in StoreAuditLog(store).entries()]
    if positions != list(range(1, len(positions) + 1)):
        yield "the log has a gap"
