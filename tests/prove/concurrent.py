"""Eight real clients on the same few flows of a real gateway that is killed again and again.

Every call is noted with the moments of its request and its answer; those whose answer was lost stay
without one. At the end the history of each flow must be linearizable by the kit's model, answers
and views in full; revisions have no gaps; no key has taken effect twice; all that was acknowledged
is in the store, and nothing of a half-done commit.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from random import Random
from threading import Event
from typing import Final

from adapters.testing.linearizability import (
    NOTHING,
    Counterexample,
    TooManyStates,
    call_flow_id,
    flow_step,
    judge,
    partitioned,
)
from tests.prove.board import Board, Whereabouts
from tests.prove.clients import Client, Observed
from tests.prove.result import SHOWN, Progress, Result, scaled
from tests.prove.workers import chunks, spread
from tests.whole.gateway import RunningGateway
from tests.whole.stored import assert_nothing_to_rebuild, read_contents

CALLS: Final = 100_000
CLIENTS: Final = 8
KILL_EVERY: Final = 1_000
"""Calls between two kills."""
LOOK_EVERY_SECONDS: Final = 0.05
FLOWS_AT_ONCE: Final = 50

OWN: Final = {"limits": {"rateRequests": 1_000_000, "inFlight": 100}, "server": {"threads": 8}}


def run(scale: float, progress: Progress) -> Result:
    """Prove that concurrent clients of a gateway that is killed are told one true story."""
    calls = scaled(CALLS, scale, least=CLIENTS * 4)
    with tempfile.TemporaryDirectory() as folder:
        gateway = RunningGateway.of_contract(Path(folder), OWN)
        clients, kills = _work(gateway, calls, progress)
        violations = [fault for client in clients for fault in client.faults]
        violations += stored_wrong(gateway.database)
    history = [operation for client in clients for operation in client.history]
    flows = partitioned(history, call_flow_id)
    violations += untrue(list(flows.values()), progress)
    return Result(
        tried="8 clients on the same few flows over HTTP, the gateway killed and started again",
        counts={
            "calls": len(history),
            "flows": len(flows),
            "kills": kills,
            "lost answers": sum(client.lost_answers for client in clients),
            "calls never answered": sum(operation.is_pending for operation in history),
        },
        violations=tuple(violations[:SHOWN]),
    )


def _work(gateway: RunningGateway, calls: int, progress: Progress) -> tuple[list[Client], int]:
    board, whereabouts = Board(), Whereabouts()
    clients = [
        Client(number, board, whereabouts, Random(number))  # noqa: S311 - no secret
        for number in range(CLIENTS)
    ]
    with ExitStack() as stack:
        stack.enter_context(gateway)
        pool = stack.enter_context(ThreadPoolExecutor(CLIENTS))
        for client in clients:
            stack.callback(client.close)
        stack.callback(whereabouts.end)  # first, so that no client waits for ever
        whereabouts.move(gateway.place)
        working = [pool.submit(client.run, calls // CLIENTS) for client in clients]
        kills = 0
        while not all(each.done() for each in working):
            done = sum(len(client.history) for client in clients)
            progress(done, calls)
            if done >= (kills + 1) * min(KILL_EVERY, calls // 2):
                _kill(gateway, whereabouts)
                kills += 1
            else:
                Event().wait(LOOK_EVERY_SECONDS)
        for each in working:
            each.result()
        for target in board.places.values():
            clients[0].look_at_last(target)
    return clients, kills


def _kill(gateway: RunningGateway, whereabouts: Whereabouts) -> None:
    whereabouts.move(None)
    gateway.kill()
    gateway.start()
    whereabouts.move(gateway.place)


def stored_wrong(database: Path | str) -> Iterator[str]:
    """Yield what is wrong with a store at the end; a gap in a stream is an AssertionError."""
    try:
        contents = read_contents(database)
        assert_nothing_to_rebuild(database)
    except AssertionError as error:
        yield f"the store: {error}"
        return
    requests: dict[str, set[str]] = defaultdict(set)
    for record in contents.records:
        data = record.metadata
        if data.idempotency_key is not None:
            requests[f"{data.actor.name}/{data.idempotency_key}"].add(data.request_id)
    for key, ids in requests.items():
        if len(ids) > 1:
            yield f"the key {key} took effect {len(ids)} times"


def untrue(flows: Sequence[Sequence[Observed]], progress: Progress) -> Iterator[str]:
    """Yield what is not linearizable of the histories of some flows."""
    judged = 0
    for portion in spread(judged_flows, chunks(flows, FLOWS_AT_ONCE)):
        judged += FLOWS_AT_ONCE
        progress(min(judged, len(flows)), len(flows))
        yield from portion


def judged_flows(flows: Sequence[Sequence[Observed]]) -> list[str]:
    """Return what is wrong with the histories of some flows."""
    return [told for told in map(_judged, flows) if told]


def _judged(history: Sequence[Observed]) -> str:
    try:
        verdict = judge(history, flow_step, NOTHING)
    except TooManyStates as error:
        return f"{call_flow_id(history[0].call)}: {error}"
    return (
        f"{call_flow_id(history[0].call)}: {verdict}" if isinstance(verdict, Counterexample) else ""
    )
