"""A working gateway, recorded: what it did to its database, and what it told its callers when."""

from __future__ import annotations

import pickle
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal, TypeAlias

import orjson
from attrs import frozen

from tests.prove.shim import Call, Kind, read_log, recording
from tests.whole.callers import Caller
from tests.whole.gateway import Place, RunningGateway
from tests.whole.vitals import eventually
from tests.whole.writers import Writer, crowd, writing

UNLIMITED: Final = {"limits": {"rateRequests": 1_000_000}}
WRITERS: Final = 4

_ANSWER: Final = re.compile(rb"(?si)HTTP/1\.1 20[02] .*?X-Request-Id: ([^\r]+)\r")
_SHOWN: Final = re.compile(rb'"flow":\{"flowId":"([^"]+)".*?"revision":(\d+)')
_QUERY: Final = (
    "SELECT originator_id, originator_version, topic, state FROM stored_events ORDER BY rowid"
)

Module: TypeAlias = Literal["app", "tests.prove.unsynced"]


@frozen
class Stored:
    """An event as it is stored: its id is flow and version, its bytes are `state`."""

    flow_id: str
    version: int
    topic: str
    state: bytes

    @property
    def request_id(self) -> str:
        """The request that brought it about."""
        found: str = orjson.loads(self.state)["metadata"]["request_id"]
        return found

    @property
    def moves(self) -> bool:
        """Whether it moves the flow's revision."""
        return self.topic.startswith("taskflow.flow_") and self.version > 1


@frozen
class Recording:
    """The calls of a gateway in their order, and the events that it had stored at the end."""

    calls: Sequence[Call]
    events: Sequence[Stored]

    def owed(self) -> Sequence[int]:
        """Return, for each number of calls, how many of the first events callers know of by then.

        A caller knows of the events that its request brought about, once the answer is sent, and
        of all events of a flow up to the revision that it is shown.
        """
        events = _Known.of(self.events)
        owed = [0]
        for call in self.calls:
            known = events.told_by(call.data) if call.kind is Kind.SEND else 0
            owed.append(max(owed[-1], known))
        return owed

    def ends_of_commits(self) -> set[int]:
        """Return after how many events a commit ended."""
        origins = [(event.flow_id, event.request_id) for event in self.events]
        ends = {at for at, (one, next_) in enumerate(pairwise(origins), 1) if one != next_}
        return {0, len(origins)} | ends


@frozen
class _Known:
    by_request: Mapping[str, int]
    by_revision: Mapping[tuple[str, int], int]

    @classmethod
    def of(cls, events: Sequence[Stored]) -> _Known:
        by_request: dict[str, int] = {}
        by_revision: dict[tuple[str, int], int] = {}
        revisions: dict[str, int] = {}
        for count, event in enumerate(events, 1):
            by_request[event.request_id] = count
            revisions[event.flow_id] = revisions.get(event.flow_id, 0) + event.moves
            by_revision.setdefault((event.flow_id, revisions[event.flow_id]), count)
        return cls(by_request, by_revision)

    def told_by(self, answer: bytes) -> int:
        """Return how many of the first events whoever gets an answer knows of."""
        granted = _ANSWER.search(answer)
        if granted is None:
            return 0
        shown = _SHOWN.search(answer)
        revision = (shown[1].decode(), int(shown[2])) if shown else ("", 0)
        return max(self.by_request.get(granted[1].decode(), 0), self.by_revision.get(revision, 0))


def record(folder: Path, shim: Path, *, requests: int, module: Module = "app") -> Recording:
    """Let a gateway work, be stopped, work, be killed at it, and work again; record all of it."""
    gateway = RunningGateway.of_contract(folder, UNLIMITED)
    log = folder / "calls"
    watched = recording(shim, gateway.database, log)
    gateway.environment = {**gateway.environment, **watched}
    gateway.module = module
    with gateway:
        _work(gateway, crowd(1, WRITERS), requests // 2)
        gateway.stop()
        gateway.start()
        _work_and_die(gateway, crowd(2, WRITERS), requests // 4)
        gateway.start()
        _work(gateway, crowd(3, WRITERS), requests // 4)
    return Recording(tuple(read_log(log)), tuple(stored_events(gateway.database)))


def _work(gateway: RunningGateway, writers: Sequence[Writer], requests: int) -> None:
    with ThreadPoolExecutor(len(writers)) as pool:
        done = [
            pool.submit(_ask, writer, gateway.place, requests // len(writers)) for writer in writers
        ]
    for each in done:
        each.result()


def _ask(writer: Writer, place: Place, requests: int) -> None:
    with Caller(place) as caller:
        for _ in range(requests):
            assert writer.ask(caller), writer.faults


def _work_and_die(gateway: RunningGateway, writers: Sequence[Writer], requests: int) -> None:
    with writing(writers, gateway.place):
        eventually(
            lambda: sum(len(writer.acknowledged) for writer in writers) >= requests,
            "the writers were answered",
        )
        gateway.kill()


def stored_events(database: Path) -> Iterator[Stored]:
    """Yield the events of a database, in the order in which they were stored."""
    with closing(sqlite3.connect(database)) as connection:
        yield from (Stored(*row) for row in connection.execute(_QUERY))


def keep(recorded: Recording, file: Path) -> Path:
    """Write a recording to a file, for other processes."""
    file.write_bytes(pickle.dumps(recorded))
    return file


@lru_cache(maxsize=1)
def kept(file: Path) -> Recording:
    """Return the recording in a file of ours."""
    found: Recording = pickle.loads(file.read_bytes())  # noqa: S301 - written by `keep`
    return found
