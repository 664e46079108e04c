"""The gateway's sweep over a real store: what it does while nobody can be heard."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest
from attrs import define, field

from adapters import schedule
from adapters.composition.sweeping import SweepJob, pace_of
from adapters.settings import ChildrenConfig
from adapters.store import EventSourcedStore, open_for_writing
from domain.application.listening import ClockReading
from domain.application.operators import SYSTEM, Operators
from domain.application.outcomes import Accepted
from domain.application.ports import StoreUnavailable
from domain.application.recorded_events import CommandMetadata
from domain.application.sessions import TaskFlows
from domain.flow.commands import CancelFlow, CreateFlow, RunTask
from domain.flow.ids import FlowId, Owner, RequestId
from domain.flow.status import FlowStatus, Runtime

CHILDREN = ChildrenConfig(lost_after_seconds=1, sweep_seconds=0.2)
START = 1_795_435_200_000


@define
class Job:
    """A sweep job over a flow whose cancellation waits for one child."""

    store: EventSourcedStore
    passed: int = 0
    is_listening: bool = True
    flow_id: str = ""
    job: SweepJob = field(init=False)
    numbers: Iterator[int] = field(factory=lambda: itertools.count(1))

    def __attrs_post_init__(self) -> None:
        session = TaskFlows(self.store, self.now, self.new_id).bind_session(Owner("owner"))
        origin = CommandMetadata(actor=SYSTEM, request_id=RequestId("r"))
        created = session.execute(CreateFlow(goal="g", controller_id="c"), origin)
        assert isinstance(created, Accepted)
        self.flow_id = created.flow.flow_id
        child = RunTask(flow_id=self.flow_id, runtime=Runtime.ACP, task="t")
        for command in (child, CancelFlow(flow_id=self.flow_id)):
            session.execute(command, origin)
        system = Operators(self.store, self.now, self.new_id, SYSTEM)
        pace, listens = pace_of(CHILDREN), lambda: self.is_listening
        self.job = SweepJob(system, pace, self.read_clocks, listens)

    def now(self) -> int:
        return START + self.passed

    def new_id(self) -> str:
        return f"id-{next(self.numbers)}"

    def read_clocks(self) -> ClockReading:
        return ClockReading(wall=self.now(), monotonic=self.passed)

    def beats(self, number: int) -> None:
        for _ in range(number):
            self.passed += 200
            self.job()

    def is_cancelled(self) -> bool:
        flow = self.store.load(FlowId(self.flow_id))
        return flow is not None and flow.status is FlowStatus.CANCELLED


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "taskflow.db"


@pytest.fixture
def job(path: Path) -> Iterator[Job]:
    with closing(open_for_writing(f"sqlite:///{path}")) as store:
        yield Job(store)


def test_a_gateway_that_listens_gives_a_silent_child_up(job: Job) -> None:
    job.beats(4)
    assert not job.is_cancelled()
    job.beats(1)
    assert job.is_cancelled()


def test_nobody_is_given_up_while_a_gateway_drains(job: Job) -> None:
    job.beats(4)
    job.is_listening = False
    job.beats(10)
    assert not job.is_cancelled()


def test_a_sweep_ends_where_a_stop_begins(job: Job) -> None:
    job.beats(4)
    listens = iter((True, False))
    job.job.is_listening = lambda: next(listens)
    job.beats(1)
    assert not job.is_cancelled()


def test_a_job_that_does_not_end_holds_nothing_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(schedule, "LAST_SECONDS", 0.05)
    begun, ends = Event(), Event()

    def job() -> None:
        begun.set()
        ends.wait(20.0)

    with schedule.every(0.001, job, lambda _: None):
        assert begun.wait(20.0)
    assert not ends.is_set()
    ends.set()
    assert [record.getMessage() for record in caplog.records] == [
        "a job did not end within 0.05 seconds"
    ]


def test_a_store_that_takes_no_writes_has_taken_no_news_either(job: Job, path: Path) -> None:
    job.beats(4)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable):
            job.beats(1)
        other.execute("ROLLBACK")
    job.beats(4)
    assert not job.is_cancelled()
    job.beats(1)
    assert job.is_cancelled()
