"""A store of an older release is brought to the present format once, and no event changes."""

from __future__ import annotations

import sqlite3
import tracemalloc
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from adapters.store import (
    EventSourcedStore,
    StoreAuditLog,
    StoreFault,
    back_up,
    open_existing,
    open_for_reading,
    open_for_writing,
    rebuild,
)
from adapters.store.schema import SCHEMA_VERSION
from domain.application.views import flow_view
from domain.flow.commands import CancelFlow, CreateFlow
from domain.flow.ids import FlowId
from domain.flow.values import Json
from tests.audit.healthy import FAR_PAST
from tests.audit.whole_logs import replay_store
from tests.store.golden_bytes import old_store
from tests.store.service import (
    ORIGIN,
    OWNER,
    STRANGER,
    code,
    create,
    creation,
    granted,
    keyed,
    run,
    session,
)
from tests.store.tables import EVENTS, HEALTHY, VIEWS, Row, execute, rows

FLOWS: Final = {"id-1": OWNER, "id-2": STRANGER, "id-3": OWNER}


@pytest.fixture
def old(path: Path) -> Path:
    """A store as the last release before the views of flows left it."""
    old_store(path)
    return path


def _events(path: Path) -> list[Row]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT rowid, * FROM stored_events ORDER BY rowid").fetchall()


def _check_shown(store: EventSourcedStore) -> None:
    for flow_id, owner in FLOWS.items():
        flow = store.load(FlowId(flow_id))
        assert flow is not None
        shown = session(store).find(FlowId(flow_id))
        assert (shown is None) == (owner != OWNER)
        assert shown in (None, flow_view(flow))


def test_a_store_of_the_last_release_is_brought_to_the_present_format(
    old: Path, file_url: str
) -> None:
    events, progress = _events(old), []
    with closing(open_for_writing(file_url, on_upgrade=lambda *n: progress.append(n))) as store:
        assert progress == [(3, 3)]
        assert len(rows(store, VIEWS)) == 3
        _check_shown(store)
        assert session(store).find_json(FlowId("id-1")) is not None
        assert rebuild(store).changed == HEALTHY
        assert replay_store(StoreAuditLog(store), FAR_PAST).findings.kept == []
    assert _events(old) == events
    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    with closing(open_for_writing(file_url, on_upgrade=lambda *n: progress.append(n))):
        assert progress == [(3, 3)]  # once


def test_a_repeat_by_an_old_key_is_answered_as_before(old: Path, file_url: str) -> None:
    events = _events(old)
    with closing(open_for_writing(file_url)) as store:
        owner, again = session(store, prefix="new"), run(FlowId("id-1"), run_id="r")
        first = granted(owner.execute(creation(), keyed("k1")))
        task, last = (
            granted(owner.execute(command, keyed(key)))
            for command, key in ((again, "k2"), (CancelFlow(flow_id=FlowId("id-3")), "k3"))
        )
        assert code(owner.execute(creation(), keyed("k1", "other"))) == "idempotency_key_reused"
        for answer, flow_id, version in ((first, "id-1", 1), (task, "id-1", 2), (last, "id-3", 3)):
            then = store.application.load(FlowId(flow_id), version)
            assert then is not None
            assert (answer.flow, answer.is_replay) == (flow_view(then), True)
        assert task.task is not None
        assert task.task.task_id == "id-4"
    assert _events(old) == events


def test_a_store_of_the_last_release_is_read_as_it_is(old: Path, file_url: str) -> None:
    before = old.read_bytes()
    with closing(open_for_reading(file_url)) as store:
        _check_shown(store)
        report = replay_store(StoreAuditLog(store), FAR_PAST)
        assert (report.flows, report.findings.kept, report.advice.kept) == (3, [], [])
    copy = old.with_name("copy.db")
    copy.touch()
    copied = back_up(file_url, copy, name=copy, progress=lambda _done, _all: None)
    assert copied == len(_events(old))
    assert old.read_bytes() == before


class _PowerCut(Exception):  # noqa: N818 - stands for what ends a process
    """The process ends here."""


def _end(_done: int, _flows: int) -> None:
    raise _PowerCut


def test_an_upgrade_that_is_broken_off_is_done_by_the_next_start(old: Path, file_url: str) -> None:
    with pytest.raises(_PowerCut):
        open_existing(file_url, _end)
    with closing(sqlite3.connect(old)) as connection:  # an older release does not open it any more
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    with closing(open_for_reading(file_url)) as store:
        _check_shown(store)
        assert replay_store(StoreAuditLog(store), FAR_PAST).findings.kept == []
    done: list[tuple[int, int]] = []
    with closing(open_existing(file_url, lambda *n: done.append(n))) as store:
        assert done == [(3, 3)]
        assert rebuild(store).changed == HEALTHY


def test_views_of_another_format_are_rendered_again(
    old: Path, file_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_for_writing(file_url).close()
    for name in ("views.FLOW_FORMAT", "views.FORMAT", "upgrade.FORMAT"):
        monkeypatch.setattr(f"adapters.store.{name}", 99)
    with closing(open_for_reading(file_url)) as store:
        assert session(store).find_json(FlowId("id-1")) is not None  # from its events
        assert replay_store(StoreAuditLog(store), FAR_PAST).findings.kept == []
    done: list[tuple[int, int]] = []
    with closing(open_for_writing(file_url, on_upgrade=lambda *n: done.append(n))) as store:
        assert done == [(3, 3)]
        assert rebuild(store).changed == HEALTHY
    assert len(_events(old)) == 8


def test_a_flow_whose_events_do_not_add_up_keeps_nobody_from_the_others(
    old: Path, file_url: str
) -> None:
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("UPDATE stored_events SET state=x'00' WHERE originator_id='id-2'")
        connection.execute("DELETE FROM stored_snapshots WHERE originator_id='id-2'")
        connection.commit()
    with closing(open_for_writing(file_url)) as store:
        assert [row[1] for row in rows(store, VIEWS)] == ["id-1", "id-3"]
        create(session(store, prefix="new"))
        assert len(rows(store, EVENTS)) == 9
        with pytest.raises(StoreFault):
            rebuild(store)


def test_an_upgrade_holds_one_flow_at_a_time(file_url: str) -> None:
    large = Json('"' + "x" * 200_000 + '"')
    with closing(open_for_writing(file_url)) as store:
        commands = [CreateFlow(goal="g", controller_id="c", state_json=large)] * 60
        session(store).execute_together(commands, ORIGIN)
        execute(store, "DELETE FROM view_format")
    tracemalloc.start()
    try:
        open_for_writing(file_url).close()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20 * len(large.text)
