"""`run_task`: what a new child looks like, and when the same run is meant again.

The cases of `RECORDED` are what the reference was seen to do, in that order, on one flow.
"""

from __future__ import annotations

import pytest
from attrs import evolve as replace

from adapters.testing.examples import CREATED, FLOW, NOW, THEN, ended, linked
from adapters.testing.scenario import Given, given
from domain.flow.commands import RunTask
from domain.flow.events import TaskDescribed, TaskLinked
from domain.flow.ids import Owner, TaskId
from domain.flow.status import NotifyPolicy, Runtime, TaskStatus
from domain.flow.task import Task, find_task
from domain.flow.task_counts import NO_TASKS

ASK = RunTask(flow_id=FLOW, runtime=Runtime.SUBAGENT, task="work")
MADE = Task(
    task_id=TaskId(""),
    runtime=Runtime.SUBAGENT,
    task="work",
    status=TaskStatus.QUEUED,
    agent_id="main",
    notify_policy=NotifyPolicy.DONE_ONLY,
    created_at=NOW,
    last_event_at=NOW,
    last_heartbeat_at=NOW,
)
ASK_RUNNING = replace(ASK, status=TaskStatus.RUNNING)
RUNNING = replace(MADE, status=TaskStatus.RUNNING)
ACP = replace(ASK, runtime=Runtime.ACP)
RUN_1 = replace(MADE, task_id=TaskId("runid"), run_id="run-1")
FILLED = replace(RUN_1, source_id="s9", parent_task_id="p9")
ACP_RUN = replace(MADE, task_id=TaskId("runid-other-runtime"), runtime=Runtime.ACP, run_id="run-1")
PREFERRED = replace(ACP_RUN, task="preferred text", label="PL")
RUN_2 = replace(
    MADE, task_id=TaskId("runid-silent"), run_id="run-2", notify_policy=NotifyPolicy.SILENT
)
RUN_3 = replace(
    MADE,
    task_id=TaskId("silent-runid-dup-default"),
    run_id="run-3",
    notify_policy=NotifyPolicy.SILENT,
)
LATE = 9_007_199_254_740_991

Case = tuple[str, RunTask, Task]
"""A name, what was asked, and the task that was shown; an empty `task_id` stands for the name."""


def _child(name: str, key: str, agent_id: str) -> Case:
    asked = replace(ASK, child_session_key=key)
    return name, asked, replace(MADE, child_session_key=key, agent_id=agent_id)


def _policy(policy: NotifyPolicy) -> Case:
    return (
        f"notify-{policy}",
        replace(ASK, notify_policy=policy),
        replace(MADE, notify_policy=policy),
    )


RECORDED: tuple[Case, ...] = (
    ("minimal", ASK, MADE),
    ("acp", ACP, replace(MADE, runtime=Runtime.ACP)),
    ("identical-again", ASK, MADE),
    ("source", replace(ASK, source_id="src"), replace(MADE, source_id="src")),
    ("agent", replace(ASK, agent_id="custom-agent"), replace(MADE, agent_id="custom-agent")),
    ("label", replace(ASK, label="Label"), replace(MADE, label="Label")),
    ("task-padded", replace(ASK, task="padded"), replace(MADE, task="padded")),
    _child("child-own-tree", "agent:main:subagent:x", "main"),
    _child("child-other-agent", "agent:other:subagent:x", "other"),
    _child("child-other-session", "agent:main:other", "main"),
    _child("child-own-session", "agent:main:main", "main"),
    _child("child-not-agent-form", "whatever", "main"),
    (
        "acp-child",
        replace(ACP, child_session_key="agent:main:acp:worker2"),
        replace(MADE, runtime=Runtime.ACP, child_session_key="agent:main:acp:worker2"),
    ),
    (
        "parent-task-real",
        replace(ASK, parent_task_id="minimal"),
        replace(MADE, parent_task_id="minimal"),
    ),
    (
        "parent-task-unknown",
        replace(ASK, parent_task_id="nope"),
        replace(MADE, parent_task_id="nope"),
    ),
    _policy(NotifyPolicy.DONE_ONLY),
    _policy(NotifyPolicy.STATE_CHANGES),
    _policy(NotifyPolicy.SILENT),
    ("queued", replace(ASK, status=TaskStatus.QUEUED), MADE),
    ("running", ASK_RUNNING, RUNNING),
    (
        "running-started",
        replace(ASK_RUNNING, started_at=1000),
        replace(RUNNING, created_at=1000, started_at=1000, last_event_at=1000),
    ),
    (
        "running-last",
        replace(ASK_RUNNING, last_event_at=2000),
        replace(RUNNING, created_at=2000, last_event_at=2000),
    ),
    (
        "running-both",
        replace(ASK_RUNNING, started_at=5000, last_event_at=3000),
        replace(RUNNING, created_at=3000, started_at=5000, last_event_at=5000),
    ),
    (
        "running-progress",
        replace(ASK_RUNNING, progress_summary="some progress"),
        replace(RUNNING, progress_summary="some progress"),
    ),
    ("running-progress-null", replace(ASK_RUNNING, progress_summary=None), RUNNING),
    (
        "running-future",
        replace(ASK_RUNNING, started_at=LATE),
        replace(RUNNING, started_at=LATE, last_event_at=LATE),
    ),
    ("runid", replace(ASK, run_id="run-1"), RUN_1),
    ("runid-dup-same", replace(ASK, run_id="run-1"), RUN_1),
    (
        "runid-dup-other-task",
        replace(ASK, run_id="run-1", task="different"),
        replace(MADE, run_id="run-1", task="different"),
    ),
    (
        "runid-dup-other-label",
        replace(ASK, run_id="run-1", label="L2"),
        replace(MADE, run_id="run-1", label="L2"),
    ),
    (
        "runid-dup-fill",
        replace(
            ASK,
            run_id="run-1",
            source_id="s9",
            agent_id="a9",
            parent_task_id="p9",
            notify_policy=NotifyPolicy.SILENT,
        ),
        FILLED,
    ),
    ("runid-dup-running", replace(ASK_RUNNING, run_id="run-1", started_at=77), FILLED),
    ("runid-other-runtime", replace(ACP, run_id="run-1"), ACP_RUN),
    ("acp-dup-other-task", replace(ACP, run_id="run-1", task="different"), ACP_RUN),
    (
        "acp-dup-prefer",
        replace(ACP, run_id="run-1", task="preferred text", label="PL", prefer_metadata=True),
        PREFERRED,
    ),
    (
        "acp-dup-label-no-prefer",
        replace(ACP, run_id="run-1", task="other", label="QQ"),
        PREFERRED,
    ),
    ("runid-silent", replace(ASK, run_id="run-2", notify_policy=NotifyPolicy.SILENT), RUN_2),
    (
        "runid-silent-dup",
        replace(ASK, run_id="run-2", notify_policy=NotifyPolicy.STATE_CHANGES),
        replace(RUN_2, notify_policy=NotifyPolicy.STATE_CHANGES),
    ),
    (
        "runid-other-child",
        replace(ASK, run_id="run-2", child_session_key="agent:main:subagent:zz"),
        replace(MADE, run_id="run-2", child_session_key="agent:main:subagent:zz"),
    ),
    ("prefer-alone", replace(ASK, prefer_metadata=True), MADE),
    (
        "silent-runid-dup-default",
        replace(ASK, run_id="run-3", notify_policy=NotifyPolicy.SILENT),
        RUN_3,
    ),
    (
        "silent-runid-dup-default2",
        replace(ASK, run_id="run-3"),
        replace(RUN_3, notify_policy=NotifyPolicy.DONE_ONLY),
    ),
)


def _after(count: int) -> Given:
    """Return the flow after the first recorded cases, each new task named after its case."""
    flow = given(CREATED)
    for name, asked, _ in RECORDED[:count]:
        flow = Given(flow.when(asked, new_id=name).flow)
    return flow


@pytest.mark.parametrize("at", range(len(RECORDED)), ids=[name for name, _, _ in RECORDED])
def test_a_run_is_answered_as_recorded(at: int) -> None:
    name, asked, shown = RECORDED[at]
    before = _after(at)
    after = before.when(asked, new_id=name).flow
    expected = replace(shown, task_id=TaskId(shown.task_id or name))
    assert find_task(after.tasks, expected.task_id) == expected
    assert len(after.tasks) == len(before.flow.tasks) + (expected.task_id == name)


def test_all_recorded_runs_together_leave_the_flow_as_it_was_but_for_its_children() -> None:
    after = _after(len(RECORDED)).flow
    bare = replace(after, tasks=(), counts=NO_TASKS)
    untouched = replace(bare, version=1, latest_at=THEN)
    assert untouched == given(CREATED).flow
    assert sum(task.status is TaskStatus.RUNNING for task in after.tasks) == 7
    assert len(after.tasks) == 34


def test_a_new_run_is_recorded_with_all_that_was_told() -> None:
    command = replace(
        ASK,
        source_id="source",
        child_session_key="agent:helper:acp:1",
        parent_task_id="parent",
        run_id="run-1",
        label="label",
        notify_policy=NotifyPolicy.SILENT,
        status=TaskStatus.RUNNING,
        started_at=THEN - 2,
        last_event_at=THEN - 1,
        progress_summary="begun",
    )
    given(CREATED).when(command).then(
        TaskLinked(
            at=NOW,
            task_id=TaskId("new-1"),
            runtime=Runtime.SUBAGENT,
            task="work",
            status=TaskStatus.RUNNING,
            agent_id="helper",
            notify_policy=NotifyPolicy.SILENT,
            created_at=THEN - 2,
            last_event_at=THEN - 1,
            started_at=THEN - 2,
            source_id="source",
            child_session_key="agent:helper:acp:1",
            parent_task_id="parent",
            run_id="run-1",
            label="label",
            progress_summary="begun",
        ),
    )


def test_a_repeated_run_that_tells_nothing_new_brings_nothing_about() -> None:
    known = given(CREATED, replace(linked(TaskId("t")), run_id="run-1"))
    known.when(replace(ASK, run_id="run-1", prefer_metadata=True)).then()


def test_a_repeated_run_brings_about_only_what_it_tells() -> None:
    known = given(CREATED, replace(linked(TaskId("t")), runtime=Runtime.ACP, run_id="run-1"))
    told = replace(ACP, run_id="run-1", label="label", task="other")
    known.when(told).then(TaskDescribed(at=NOW, task_id=TaskId("t"), label="label"))
    known.when(replace(told, prefer_metadata=True)).then(
        TaskDescribed(at=NOW, task_id=TaskId("t"), label="label", task="other"),
    )


def test_a_repeated_run_finds_a_task_that_has_ended_and_does_not_start_it_again() -> None:
    known = given(CREATED, replace(linked(TaskId("t")), run_id="run-1"), ended(TaskId("t")))
    again = known.when(replace(ASK_RUNNING, run_id="run-1", source_id="source")).then(
        TaskDescribed(at=NOW, task_id=TaskId("t"), source_id="source"),
    )
    assert [task.status for task in again.flow.tasks] == [TaskStatus.SUCCEEDED]


@pytest.mark.parametrize(
    ("owner", "agent"),
    [
        ("agent:research:main", "research"),
        ("AGENT:Research:Main", "research"),
        ("\ufeff agent:research:main\u3000", "research"),
        ("agent:\u00a0re search\t:main", "re search"),
        (":agent::research::main:", "research"),
        ("agent:\u0085:main", "\u0085"),
        ("agent:main", None),
        ("agent::main", None),
        ("agent:main:", None),
        ("agent: :main", None),
        ("\x1fagent:main:main", None),
        ("hook:research:main", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("of", ["child", "owner"])
def test_a_child_without_an_agent_has_that_of_the_session(
    of: str, owner: Owner, agent: str | None
) -> None:
    if of == "child":
        ask = replace(ASK, child_session_key=owner)
        decided = given(replace(CREATED, owner=Owner("bare"))).when(ask, owner=Owner("bare"))
    else:
        decided = given(replace(CREATED, owner=owner)).when(ASK, owner=owner)
    assert decided.flow.tasks[0].agent_id == agent


def test_a_child_key_that_names_no_agent_leaves_it_to_the_owner() -> None:
    ask = replace(ASK, child_session_key="agent: :x")
    decided = given(replace(CREATED, owner=Owner("agent:ops:x"))).when(
        ask, owner=Owner("agent:ops:x")
    )
    assert decided.flow.tasks[0].agent_id == "ops"


def test_a_repeated_run_fills_in_an_agent_that_was_not_known_and_never_another() -> None:
    known = given(CREATED, replace(linked(TaskId("t")), run_id="run-1", agent_id=None))
    again = known.when(replace(ASK, run_id="run-1", agent_id="Ops")).then(
        TaskDescribed(at=NOW, task_id=TaskId("t"), agent_id="Ops")
    )
    assert again.flow.tasks[0].agent_id == "Ops"
    other = replace(ASK, run_id="run-1", agent_id="other", prefer_metadata=True)
    given(CREATED, replace(linked(TaskId("t")), run_id="run-1")).when(other).then()
