"""Which part of a gateway is not ready."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest
from attrs import evolve

from adapters.composition import readiness
from adapters.composition.readiness import Readiness, folder_of
from adapters.schedule.batches import BatchThread
from adapters.store import open_for_writing
from adapters.webhooks.responses import PARTS


@pytest.fixture
def hold() -> Event:
    """What the writer's work waits for."""
    return Event()


@pytest.fixture
def ready(tmp_path: Path, hold: Event) -> Iterator[Readiness]:
    """A gateway that is ready, on a disk with room."""

    def work(items: Sequence[int]) -> Sequence[int]:
        hold.wait()
        return items

    url = f"sqlite:///{tmp_path / 'taskflow.db'}"
    writer = BatchThread[int, int](work)
    with closing(open_for_writing(url)) as store:
        yield Readiness(store=store, folder=folder_of(url), writer=writer, least_free_bytes=1)
        hold.set()
        writer.stop()


def test_all_parts_have_names_that_callers_know(ready: Readiness, tmp_path: Path) -> None:
    ready.writer.stop()
    ready.store.close()
    found = evolve(ready, folder=tmp_path / "gone", is_listening=lambda: False)()
    assert found == (False, ("listener", "store", "writer", "disk"))
    assert set(found[1]) | {"database", "signing"} == set(PARTS)


def test_all_parts_of_a_gateway_are_ready(ready: Readiness) -> None:
    assert ready() == (True, ())


def test_a_disk_with_less_room_than_a_write_may_need_is_not_ready(ready: Readiness) -> None:
    assert evolve(ready, least_free_bytes=1 << 62)() == (False, ("disk",))


def test_a_disk_that_is_gone_is_not_ready(ready: Readiness, tmp_path: Path) -> None:
    assert evolve(ready, folder=tmp_path / "gone")() == (False, ("disk",))


def test_a_store_on_no_disk_of_this_machine_needs_no_room(ready: Readiness) -> None:
    assert folder_of("sqlite://:memory:") is None
    assert evolve(ready, folder=None, least_free_bytes=1 << 62)() == (True, ())


def test_a_gateway_that_stops_is_not_ready(ready: Readiness) -> None:
    assert evolve(ready, is_listening=lambda: False)() == (False, ("listener",))


def test_a_writer_that_is_stuck_is_not_ready(
    ready: Readiness, hold: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "LONGEST_BATCH_SECONDS", 0.0)
    done = Event()
    ready.writer.submit(1, lambda _: done.set())
    while not ready.writer.busy_seconds:
        pass
    ready.writer.submit(2, lambda _: None)
    assert (ready(), ready.writer.waiting) == ((False, ("writer",)), 1)
    hold.set()
    assert done.wait(10)
    while ready.writer.waiting or ready.writer.busy_seconds:
        pass
    monkeypatch.setattr(readiness, "LONGEST_BATCH_SECONDS", 10.0)
    assert ready() == (True, ())


def test_a_writer_that_has_ended_is_not_ready(ready: Readiness, hold: Event) -> None:
    hold.set()
    ready.writer.stop()
    assert ready() == (False, ("writer",))
