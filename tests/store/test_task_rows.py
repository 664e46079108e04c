"""Tasks have rows of their own: a command reads and writes only those that it concerns."""

from __future__ import annotations

from contextlib import closing
from typing import Final

import pytest

from adapters.store import EventSourcedStore, StoreAuditLog, open_for_writing, rebuild
from domain.application.operators import SYSTEM, Operators
from domain.application.outcomes import Accepted
from domain.application.sweep import Swept
from domain.flow.commands import CancelFlow, FlowCommand, RunTask, SetWaiting, UpdateTask
from domain.flow.concerned import ActiveTasks, SomeTasks
from domain.flow.ids import FlowId, TaskId
from domain.flow.state import Flow
from domain.flow.status import Runtime, TaskStatus
from domain.flow.task import stale_since
from tests.audit.healthy import FAR_PAST
from tests.audit.whole_logs import replay_store
from tests.store.commits import refolded
from tests.store.conftest import MEMORY
from tests.store.kinds import ON_SQLITE
from tests.store.service import ORIGIN, OWNER, create, granted, run, session
from tests.store.tables import HEALTHY, SNAPSHOTS, TASKS, execute, rows

FLOW: Final = FlowId("id-1")
DAMAGES: Final = {
    "all rows deleted": "DELETE FROM flow_tasks",
    "one row deleted": "DELETE FROM flow_tasks WHERE number=1",
    "a run moved": "UPDATE flow_tasks SET run_id='r9' WHERE number=1",
    "an id moved": "UPDATE flow_tasks SET task_id='t9' WHERE number=1",
    "another flow": "UPDATE flow_tasks SET flow_id='id-' || abs(random()) WHERE number=1",
    "turned round": "UPDATE flow_tasks SET number=9-number",
    "garbage": "UPDATE flow_tasks SET state=x'00' WHERE number=1",
    "text": "UPDATE flow_tasks SET state='text' WHERE number=1",
    "another state": "UPDATE flow_tasks SET state=CAST(replace(CAST(state AS TEXT),'queued','lost')"
    " AS BLOB) WHERE number=1",
    "one in the place of another": "UPDATE flow_tasks SET state="
    "(SELECT state FROM flow_tasks WHERE number=0) WHERE number=1",
    "no number of the silence": "UPDATE flow_tasks SET stale_since='x' WHERE number=1",
    "the snapshot deleted": "DELETE FROM stored_snapshots",
    "an older snapshot": "UPDATE stored_snapshots SET originator_version=originator_version-1,"
    " state=CAST(replace(CAST(state AS TEXT),'\"version\":4','\"version\":3') AS BLOB)",
}


def _run(run_id: str, task: str) -> RunTask:
    return RunTask(flow_id=FLOW, runtime=Runtime.SUBAGENT, task=task, run_id=run_id)


def _ids(flow: Flow | None) -> list[str]:
    return [] if flow is None else [task.task_id for task in flow.tasks]


def _loaded(store: EventSourcedStore, *commands: FlowCommand) -> list[str]:
    return _ids(store.load_many({(OWNER, FLOW): commands}, ()).flows[OWNER, FLOW])


def test_only_the_tasks_that_are_wanted_are_loaded(store: EventSourcedStore) -> None:
    owner = session(store)
    create(owner)
    for run_id in ("r1", "r2", None):
        granted(owner.execute(run(FLOW, run_id=run_id), ORIGIN))
    assert _ids(store.find(OWNER, FLOW)) == ["id-2", "id-3", "id-4"]
    waits = SetWaiting(flow_id=FLOW, expected_revision=0)
    first = UpdateTask(flow_id=FLOW, task_id=TaskId("id-2"), status=TaskStatus.RUNNING)
    assert _loaded(store, CancelFlow(flow_id=FLOW)) == ["id-2", "id-3", "id-4"]
    assert _loaded(store, first) == ["id-2"]
    assert _loaded(store, _run("r2", "work")) == ["id-3"]
    assert _loaded(store, _run("r3", "work")) == []
    assert _loaded(store, waits) == []
    assert _loaded(store, _run("r2", "work"), waits, first, _run("r1", "work")) == ["id-2", "id-3"]
    assert _loaded(store, first, CancelFlow(flow_id=FLOW)) == ["id-2", "id-3", "id-4"]


@ON_SQLITE
def test_a_command_reads_and_writes_no_row_of_a_task_that_it_does_not_concern(
    store: EventSourcedStore,
) -> None:
    owner = session(store)
    create(owner)
    for number in range(3):
        granted(owner.execute(run(FLOW, run_id=f"r{number}"), ORIGIN))
    execute(store, "UPDATE flow_tasks SET state=x'00' WHERE number=1")
    (_, spoilt, _) = rows(store, TASKS)
    snapshots: list[object] = []
    for command in (
        run(FLOW, run_id="r0"),
        run(FLOW),
        UpdateTask(flow_id=FLOW, task_id=TaskId("id-4"), status=TaskStatus.RUNNING),
        SetWaiting(flow_id=FLOW, expected_revision=0),
    ):
        granted(owner.execute(command, ORIGIN))
        assert spoilt in rows(store, TASKS)
        snapshots += rows(store, SNAPSHOTS)
    assert len(snapshots) == 4
    assert len(rows(store, TASKS)) == 4


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=list(DAMAGES))
@pytest.mark.parametrize("task_id", ["id-2", "id-3", "id-4"])
def test_damaged_rows_change_no_answer(damage: str, task_id: str) -> None:
    commands = (
        _run("r2", "second"),
        UpdateTask(flow_id=FLOW, task_id=TaskId(task_id), status=TaskStatus.SUCCEEDED),
        _run("r1", "first"),
        CancelFlow(flow_id=FLOW),
        UpdateTask(flow_id=FLOW, task_id=TaskId("id-3"), status=TaskStatus.FAILED),
        UpdateTask(flow_id=FLOW, task_id=TaskId("id-4"), status=TaskStatus.FAILED),
        UpdateTask(flow_id=FLOW, task_id=TaskId("id-2"), status=TaskStatus.FAILED),
    )
    answers = []
    for spoil in (damage, "SELECT 1"):
        with closing(open_for_writing(MEMORY)) as store:
            owner = session(store)
            create(owner)
            for run_id, task in (("r1", "first"), ("r2", "second"), ("r2", "third")):
                granted(owner.execute(_run(run_id, task), ORIGIN))
            execute(store, spoil)
            given = []
            for command in commands:
                given.append(owner.execute(command, ORIGIN))
                execute(store, spoil)
            answers.append((given, store.load(FLOW), owner.summarize_tasks(FLOW)))
            assert store.load(FLOW) == refolded(store, FLOW)
            rebuild(store)
            assert store.load(FLOW) == refolded(store, FLOW)
            assert rebuild(store).changed == HEALTHY
            assert replay_store(StoreAuditLog(store), FAR_PAST).findings.kept == []
    assert answers[0] == answers[1]
    assert any(isinstance(outcome, Accepted) for outcome in answers[0][0])


def test_a_flow_that_is_written_again_has_all_its_rows_again(store: EventSourcedStore) -> None:
    owner = session(store)
    create(owner)
    for _ in range(3):
        granted(owner.execute(run(FLOW), ORIGIN))
    before = rows(store, TASKS)
    execute(store, "DELETE FROM flow_tasks WHERE number=1")
    assert rows(store, SNAPSHOTS) == []
    granted(owner.execute(SetWaiting(flow_id=FLOW, expected_revision=0), ORIGIN))
    assert rows(store, TASKS) == before
    assert rebuild(store).changed == HEALTHY


def test_the_index_knows_the_stalest_active_child(store: EventSourcedStore) -> None:
    owner = session(store)
    create(owner)
    for _ in range(3):
        granted(owner.execute(run(FLOW), ORIGIN))
    assert [each.flow_id for each in store.stale(10**15, 9)] == []
    granted(owner.execute(CancelFlow(flow_id=FLOW), ORIGIN))
    assert [each.flow_id for each in store.stale(10**15, 9)] == [FLOW]
    assert replay_store(StoreAuditLog(store), FAR_PAST).findings.kept == []
    for task_id in ("id-2", "id-3", "id-4"):
        end = UpdateTask(flow_id=FLOW, task_id=TaskId(task_id), status=TaskStatus.SUCCEEDED)
        granted(owner.execute(end, ORIGIN))
        assert replay_store(StoreAuditLog(store), FAR_PAST).findings.kept == []
    assert store.stale(10**15, 9) == []


def test_the_counts_of_tasks_are_read_without_a_row_of_them(file_store: EventSourcedStore) -> None:
    owner = session(file_store)
    create(owner)
    for _ in range(2):
        granted(owner.execute(run(FLOW), ORIGIN))
    first = owner.summarize_tasks(FLOW)
    older = rows(file_store, SNAPSHOTS)[0]
    execute(file_store, "UPDATE flow_tasks SET state=x'00'")
    assert owner.summarize_tasks(FLOW) == first
    assert not file_store.application._reported  # noqa: SLF001 - the rows were not even looked at
    execute(file_store, "UPDATE flow_tasks SET stale_since=1")
    granted(owner.execute(run(FLOW), ORIGIN))
    last = owner.summarize_tasks(FLOW)
    assert (last and last.total) == 3
    execute(file_store, "DELETE FROM stored_snapshots")
    execute(file_store, "INSERT INTO stored_snapshots VALUES (?,?,?,?)", *older)
    assert owner.summarize_tasks(FLOW) == last


def test_a_sweep_reads_only_the_rows_of_stale_tasks(file_store: EventSourcedStore) -> None:
    owner = session(file_store)
    create(owner)
    for _ in range(3):
        granted(owner.execute(run(FLOW), ORIGIN))
    granted(owner.execute(CancelFlow(flow_id=FLOW), ORIGIN))
    end = UpdateTask(flow_id=FLOW, task_id=TaskId("id-2"), status=TaskStatus.SUCCEEDED)
    granted(owner.execute(end, ORIGIN))
    execute(file_store, "UPDATE flow_tasks SET state=x'00' WHERE number=0")
    active = file_store.load_with(FLOW, ActiveTasks())
    assert _ids(active) == ["id-3", "id-4"]
    assert active is not None
    news = stale_since(active.tasks[0])
    assert _ids(file_store.load_with(FLOW, ActiveTasks(news - 1))) == []
    assert _ids(file_store.load_with(FLOW, ActiveTasks(news))) == ["id-3", "id-4"]
    assert _ids(file_store.load_with(FLOW, SomeTasks())) == []
    system = Operators(file_store, lambda: FAR_PAST, iter("xyz").__next__, SYSTEM)
    assert system.give_up_children(FLOW) == Swept(lost=2, cancelled=1)
