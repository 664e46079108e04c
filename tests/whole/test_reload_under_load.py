"""Keys that are rotated under a gateway while its callers go on asking."""

from __future__ import annotations

import gc
import time
import weakref
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Final

import pytest
from attrs import define, field

from adapters.composition.stores import settings_of
from adapters.composition.webhooks import admission_table, gateway
from adapters.composition.writer import flows_of, writing
from adapters.store import open_for_writing
from tests.whole.callers import Caller, Door
from tests.whole.gateway import Place
from tests.whole.reloadable import Reloadable, document, route
from tests.whole.vitals import Vitals

AMPLE: Final = {"rateRequests": 1_000_000, "inFlight": 1000}
CALLERS: Final = 4


def secret(number: int) -> str:
    return f"secret-number-{number}-of-zapier"


def rotation(number: int) -> dict[str, object]:
    """Return a configuration in which the key of a rotation and the one before are valid.

    Another route comes with each rotation, and that of the one before goes.
    """
    keys = {f"k{one}": secret(one) for one in (number - 1, number)}
    others = {f"route-{number}": route(secrets={"k": secret(-number)})}
    return document({"zapier": route(secrets=keys, limits=AMPLE), **others})


@define
class Load:
    """Callers that ask all the time, each with the key that is newest and surely in force."""

    place: Place
    rate: float
    newest: int = 1
    statuses: Counter[int] = field(factory=Counter)
    _stopped: Event = field(factory=Event)
    _lock: Lock = field(factory=Lock)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Ask while the context lasts."""
        threads = [Thread(target=self._ask) for _ in range(CALLERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            for thread in threads:
                thread.join()

    def await_answers(self, count: int) -> None:
        """Wait for so many answers more."""
        wanted = self.statuses.total() + count
        end = time.monotonic() + 120
        while self.statuses.total() < wanted:
            assert time.monotonic() < end, self.statuses
            time.sleep(0.005)

    def _ask(self) -> None:
        due = time.monotonic()
        with Caller(self.place) as caller:
            while not self._stopped.is_set():
                caller.door = Door(secret=secret(self.newest))
                action = "create_flow" if self.statuses.total() % 2 else "list_flows"
                given = {"goal": "rotate"} if action == "create_flow" else {"limit": 1}
                status = caller.act(action, **given).status
                with self._lock:
                    self.statuses[status] += 1
                due = max(due + CALLERS / self.rate, time.monotonic() - 1)
                self._stopped.wait(max(0.0, due - time.monotonic()))


def rotate_under_load(folder: Path, *, rotations: int, rate: float, each: int) -> Load:
    made = Reloadable.in_folder(folder, rotation(1))
    with made.gateway:
        load = Load(made.gateway.place, rate)
        with load.asking():
            for number in range(2, rotations + 2):
                load.await_answers(each)
                made.reloaded(rotation(number))
                load.newest = number
            load.await_answers(each)
        assert made.gateway.stop() == 0
    return load


def test_no_caller_notices_a_rotation(tmp_path: Path) -> None:
    load = rotate_under_load(tmp_path, rotations=4, rate=200, each=20)
    assert load.statuses.keys() == {200}


@pytest.mark.full
def test_twenty_rotations_at_200_requests_a_second(tmp_path: Path) -> None:
    load = rotate_under_load(tmp_path, rotations=20, rate=200, each=200)
    assert load.statuses.keys() == {200}
    assert load.statuses[200] >= 4000


@pytest.mark.full
def test_hundreds_of_reloads_leave_nothing_behind(tmp_path: Path) -> None:
    made = Reloadable.in_folder(tmp_path, rotation(1))
    with made.gateway:
        for number in range(2, 52):
            made.reloaded(rotation(number))
        before = Vitals.of(made.gateway.pid)
        for number in range(52, 302):
            made.reloaded(rotation(number))
        after = Vitals.of(made.gateway.pid)
        assert made.statuses(secret(301), secret(299)) == [200, 401]
        assert after.threads == before.threads
        assert after.sockets == before.sockets
        assert after.memory_mib < before.memory_mib + 8
        assert made.gateway.stop() == 0


def test_what_was_swapped_out_is_forgotten_with_its_digests(tmp_path: Path) -> None:
    config = Reloadable.in_folder(tmp_path, rotation(1)).gateway.config
    store = open_for_writing(f"sqlite:///{tmp_path / 'taskflow.db'}")
    try:
        with writing(store) as writer:
            gate = gateway(settings_of(config), store, writer).admission
            table = admission_table(settings_of(config), flows_of(store, writer))
            first = weakref.ref(gate.table)
            gate.swap(table)
            gc.collect()
            assert first() is None
            assert gate.table is table
    finally:
        store.close()
