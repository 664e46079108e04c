"""A healthy store has no finding, ever: whatever happened to it, and while it goes on happening."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings

from adapters.store import EventSourcedStore, StoreAuditLog, open_for_reading, open_for_writing
from bench.plan import Sizes
from bench.stores import build
from domain.replay.findings import ReplayReport
from tests.audit.healthy import FAR_PAST, findings, live
from tests.audit.whole_logs import replay_store
from tests.store.conftest import MEMORY
from tests.store.histories import History, histories
from tests.store.processes import Process, said, writing_process
from tests.store.tables import delete_caches

LITTLE = settings(deadline=None, max_examples=40)


@LITTLE
@given(histories())
def test_after_any_history_nothing_is_found(history: History) -> None:
    with closing(open_for_writing(MEMORY)) as store:
        live(store, history)
        assert findings(store) == []
        delete_caches(store)
        assert findings(store) == []


@pytest.mark.full
@settings(deadline=None, max_examples=500)
@given(histories())
def test_five_hundred_untouched_stores_have_no_finding(history: History) -> None:
    with closing(open_for_writing(MEMORY)) as store:
        live(store, history)
        assert findings(store) == []


def test_nothing_is_found_beside_a_process_that_writes_all_the_while(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/flows.db"
    with writing_process(url, "write") as writer:
        assert said(writer) == "open"
        with closing(open_for_reading(url)) as reader:
            reports = [_replay_after(writer, reader) for _ in range(30)]
    assert [finding for report in reports for finding in report.findings.kept] == []
    assert reports[0].events < reports[-1].events


def _replay_after(writer: Process, reader: EventSourcedStore) -> ReplayReport:
    """Replay a store once another commit is written, while those after it are."""
    said(writer)
    return replay_store(StoreAuditLog(reader), FAR_PAST)


def test_an_empty_store_has_nothing_to_replay() -> None:
    with closing(open_for_writing(MEMORY)) as store:
        assert replay_store(StoreAuditLog(store), FAR_PAST) == ReplayReport()


def test_a_store_of_the_benchmark_is_healthy_too(tmp_path: Path) -> None:
    built = build(tmp_path / "flows.db", Sizes(events=300, flows=20, page=12), 1, lambda _: None)
    with closing(open_for_reading(f"sqlite:///{built.path}")) as reader:
        report = replay_store(StoreAuditLog(reader), FAR_PAST)
    assert (report.flows, report.events, report.findings.kept) == (45, 643, [])
