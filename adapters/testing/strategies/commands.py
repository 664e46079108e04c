"""Commands to generate: all that the core may be given, and those that the wire lets through.

Each strategy means the flow `flow-1`, the tasks `task-0` to `task-4` and revisions 0 to 3, so that
they meet; who knows what there is aims them anew (`adapters.testing.targeting`).
"""

from __future__ import annotations

from typing import Final

from attrs import frozen
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from adapters.testing.examples import OWNER
from adapters.testing.strategies.values import JSON_LIMITS, flow_ids, policies, task_ids
from domain.flow.commands import (
    CancelFlow,
    Command,
    CommandContext,
    CreateFlow,
    FailFlow,
    FinishFlow,
    FlowCommand,
    LoseTask,
    RequestCancel,
    ResumeFlow,
    Revisioned,
    RunTask,
    SetWaiting,
    UpdateTask,
)
from domain.flow.ids import Owner
from domain.flow.status import ENDED, FlowStatus, Runtime, TaskStatus, TerminalOutcome
from domain.flow.values import KEEP, Json, Keep, Timestamp

LIVE: Final = (FlowStatus.QUEUED, FlowStatus.RUNNING, FlowStatus.WAITING, FlowStatus.BLOCKED)
RESUMED: Final = (FlowStatus.QUEUED, FlowStatus.RUNNING)
ACTIVE: Final = (TaskStatus.QUEUED, TaskStatus.RUNNING)
REPORTED_ENDS: Final = tuple(sorted(ENDED - {TaskStatus.LOST}))
SESSIONS: Final = (None, "agent:a:b", "agent:ops:x:y", "agent::x", "free text")
PLAIN_JSON: Final = (Json("null"), Json("1"), Json('{"a":[]}'))


@frozen
class Alphabet:
    """What the free fields of commands are made of, the simplest first.

    PERF: a field is one choice of a list, which halves the time that a command takes to draw.
    """

    texts: tuple[str, ...]
    jsons: tuple[Json, ...]
    moments: tuple[Timestamp, ...]
    sessions: tuple[str | None, ...] = SESSIONS

    @property
    def text(self) -> SearchStrategy[str]:
        """A text."""
        return st.sampled_from(self.texts)

    @property
    def maybe(self) -> SearchStrategy[str | None]:
        """A text, or none."""
        return st.sampled_from((None, *self.texts))

    @property
    def patch(self) -> SearchStrategy[str | Keep | None]:
        """What a request says of a text."""
        return st.sampled_from((KEEP, None, *self.texts))

    @property
    def json(self) -> SearchStrategy[Json | None]:
        """A JSON value, or none."""
        return st.sampled_from((None, *self.jsons))

    @property
    def json_patch(self) -> SearchStrategy[Json | Keep]:
        """What a request says of a JSON value."""
        return st.sampled_from((KEEP, *self.jsons))

    @property
    def moment(self) -> SearchStrategy[Timestamp | None]:
        """A moment, or none."""
        return st.sampled_from((None, *self.moments))


WILD: Final = Alphabet(
    texts=("", " ", "a", "b"),
    jsons=PLAIN_JSON,
    moments=tuple(range(51)),
    sessions=(None, "agent:a:b", "agent:a", ""),
)
"""Blank texts too, which the wire does not let through."""
PLAIN: Final = Alphabet(
    texts=("a", "b", "é😀"), jsons=(*PLAIN_JSON, *JSON_LIMITS), moments=(990, 1000, 1010, 2**53 - 1)
)
"""What the wire lets through."""

revisions = st.integers(0, 3)


def creations(alphabet: Alphabet) -> SearchStrategy[CreateFlow]:
    """Return commands that open a flow."""
    return st.builds(
        CreateFlow,
        goal=alphabet.text,
        controller_id=alphabet.text,
        status=st.sampled_from(LIVE),
        notify_policy=policies,
        current_step=alphabet.maybe,
        state_json=alphabet.json,
        wait_json=alphabet.json,
    )


def set_waitings(alphabet: Alphabet) -> SearchStrategy[SetWaiting]:
    """Return commands that let a flow wait, or block it."""
    return st.builds(
        SetWaiting,
        flow_id=flow_ids,
        expected_revision=revisions,
        current_step=alphabet.patch,
        state_json=alphabet.json_patch,
        wait_json=alphabet.json_patch,
        blocked_task_id=alphabet.patch,
        blocked_summary=alphabet.patch,
    )


def resumes(alphabet: Alphabet) -> SearchStrategy[ResumeFlow]:
    """Return commands that let a flow go on."""
    return st.builds(
        ResumeFlow,
        flow_id=flow_ids,
        expected_revision=revisions,
        status=st.sampled_from(RESUMED),
        current_step=alphabet.patch,
        state_json=alphabet.json_patch,
    )


def finishes(alphabet: Alphabet) -> SearchStrategy[FinishFlow]:
    """Return commands that end a flow well."""
    return st.builds(
        FinishFlow,
        flow_id=flow_ids,
        expected_revision=revisions,
        state_json=alphabet.json_patch,
    )


def fails(alphabet: Alphabet) -> SearchStrategy[FailFlow]:
    """Return commands that end a flow badly."""
    return st.builds(
        FailFlow,
        flow_id=flow_ids,
        expected_revision=revisions,
        state_json=alphabet.json_patch,
        blocked_task_id=alphabet.patch,
        blocked_summary=alphabet.patch,
    )


cancel_requests = st.builds(RequestCancel, flow_id=flow_ids, expected_revision=revisions)
cancels = st.builds(CancelFlow, flow_id=flow_ids)


def stops(alphabet: Alphabet) -> SearchStrategy[FlowCommand]:
    """Return commands that end a flow or want it cancelled, each kind as often as the others."""
    return cancel_requests | finishes(alphabet) | fails(alphabet)


def any_runs(alphabet: Alphabet) -> SearchStrategy[RunTask]:
    """Return commands that link a child, also queued ones that are said to have started."""
    return _runs(alphabet, ACTIVE, alphabet.moment, alphabet.maybe)


def wire_runs(alphabet: Alphabet) -> SearchStrategy[RunTask]:
    """Return commands that link a child; only of a running one is it said when it started."""
    queued = _runs(alphabet, ACTIVE[:1], st.none(), st.none())
    return queued | _runs(alphabet, ACTIVE[1:], alphabet.moment, alphabet.maybe)


def _runs(
    alphabet: Alphabet,
    statuses: tuple[TaskStatus, ...],
    moment: SearchStrategy[Timestamp | None],
    progress: SearchStrategy[str | None],
) -> SearchStrategy[RunTask]:
    return st.builds(
        RunTask,
        flow_id=flow_ids,
        runtime=st.sampled_from(Runtime),
        task=alphabet.text,
        source_id=alphabet.maybe,
        child_session_key=st.sampled_from(alphabet.sessions),
        parent_task_id=alphabet.maybe,
        agent_id=alphabet.maybe,
        run_id=alphabet.maybe,
        label=alphabet.maybe,
        prefer_metadata=st.booleans(),
        notify_policy=policies,
        status=st.sampled_from(statuses),
        started_at=moment,
        last_event_at=moment,
        progress_summary=progress,
    )


def any_updates(alphabet: Alphabet) -> SearchStrategy[UpdateTask]:
    """Return reports of a child, whatever they say."""
    return _ends(alphabet, tuple(TaskStatus))


def wire_updates(alphabet: Alphabet) -> SearchStrategy[UpdateTask]:
    """Return reports of a child: that it runs, or how it ended."""
    running = st.builds(
        UpdateTask,
        flow_id=flow_ids,
        task_id=task_ids,
        status=st.just(TaskStatus.RUNNING),
        progress_summary=alphabet.patch,
    )
    return running | _ends(alphabet, REPORTED_ENDS)


def _ends(alphabet: Alphabet, statuses: tuple[TaskStatus, ...]) -> SearchStrategy[UpdateTask]:
    return st.builds(
        UpdateTask,
        flow_id=flow_ids,
        task_id=task_ids,
        status=st.sampled_from(statuses),
        progress_summary=alphabet.patch,
        terminal_summary=alphabet.maybe,
        terminal_outcome=st.sampled_from((None, *TerminalOutcome)),
        error=alphabet.maybe,
    )


def losses(alphabet: Alphabet) -> SearchStrategy[LoseTask]:
    """Return commands that give up a child that was silent."""
    silent = st.sampled_from((*alphabet.moments, None))
    seen = st.sampled_from((None, None, 0, 1))
    return st.builds(
        LoseTask, flow_id=flow_ids, task_id=task_ids, silent_before=silent, task_events=seen
    )


def _revisioned(alphabet: Alphabet) -> SearchStrategy[Revisioned]:
    ending = finishes(alphabet) | fails(alphabet)
    return set_waitings(alphabet) | resumes(alphabet) | ending | cancel_requests


revisioned = _revisioned(WILD)
runs = any_runs(WILD)
reports: SearchStrategy[UpdateTask | LoseTask] = any_updates(WILD) | losses(WILD)
flow_commands: SearchStrategy[FlowCommand] = revisioned | cancels | runs | reports
commands: SearchStrategy[Command] = creations(WILD) | flow_commands
"""Commands as the core may be given them."""

misused: SearchStrategy[Command] = st.one_of(
    st.builds(
        CreateFlow,
        goal=WILD.text,
        controller_id=WILD.text,
        status=st.sampled_from(FlowStatus),
    ),
    st.builds(
        ResumeFlow,
        flow_id=flow_ids,
        expected_revision=revisions,
        status=st.sampled_from(FlowStatus),
    ),
    st.builds(
        RunTask,
        flow_id=flow_ids,
        runtime=st.sampled_from(Runtime),
        task=WILD.text,
        status=st.sampled_from(TaskStatus),
    ),
)
"""Commands with a status that the edge would not let through."""
wild_commands = commands | misused
wire_commands: SearchStrategy[Command] = st.one_of(
    creations(PLAIN), _revisioned(PLAIN), cancels, wire_runs(PLAIN), wire_updates(PLAIN)
)
"""Commands as the wire lets them through."""


def issued(
    command: SearchStrategy[Command] = commands, owner: Owner = OWNER
) -> SearchStrategy[CommandContext]:
    """Return commands with their moment, and an id that is new to all flows."""
    return st.builds(
        CommandContext,
        command=command,
        owner=st.just(owner),
        at=st.integers(0, 50),
        new_id=st.just("task-new"),
    )
