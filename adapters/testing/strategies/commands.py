"""Commands to generate: all that the core may be given, and those that the wire lets through.

They mean the flow `flow-1`, the tasks `task-0` to `task-4` and revisions 0 to 3;
`adapters.testing.targeting` aims them at what there is.
"""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from adapters.testing.examples import OWNER
from adapters.testing.strategies.alphabet import PLAIN, WILD
from domain.flow import commands as c
from domain.flow.ids import CallerId, Owner
from domain.flow.status import ENDED, FlowStatus, OnTimeout, TaskStatus

NONE: Final = (None,)
CALLERS: Final = (None, CallerId("a"), CallerId("b"))
"""The keys that a command may come with; also texts that a generated event may hold."""

revisioned: SearchStrategy[c.Revisioned] = WILD.of(*c.REVISIONED)
runs = WILD.of(c.RunTask)
reports: SearchStrategy[c.UpdateTask | c.LoseTask] = WILD.of(c.UpdateTask, c.LoseTask)
ends: SearchStrategy[c.FlowCommand] = WILD.of(c.CancelFlow, c.FollowLink, c.ExpireWait)
flow_commands: SearchStrategy[c.FlowCommand] = revisioned | ends | runs | reports
commands: SearchStrategy[c.Command] = WILD.of(*c.COMMANDS)
"""Commands as the core may be given them."""

misused: SearchStrategy[c.Command] = st.one_of(
    WILD.of(c.CreateFlow, c.ResumeFlow, status=FlowStatus), WILD.of(c.RunTask, status=TaskStatus)
)
"""Commands with a status that the edge would not let through."""
wild_commands = commands | misused

wire_runs = PLAIN.of(
    c.RunTask,
    status=[TaskStatus.QUEUED],
    started_at=NONE,
    last_event_at=NONE,
    progress_summary=NONE,
) | PLAIN.of(c.RunTask, status=[TaskStatus.RUNNING])
"""Only of a running task a caller says when it started."""
wire_updates = PLAIN.of(
    c.UpdateTask,
    status=[TaskStatus.RUNNING],
    terminal_summary=NONE,
    terminal_outcome=NONE,
    error=NONE,
) | PLAIN.of(c.UpdateTask, status=sorted(ENDED - {TaskStatus.LOST}))
wire_waits = PLAIN.of(c.SetWaiting) | PLAIN.of(
    c.SetWaiting, until=[2**53 - 1], on_timeout=[None, *OnTimeout]
)
wire_commands: SearchStrategy[c.Command] = (
    PLAIN.of(c.CreateFlow, *c.REVISIONED, c.CancelFlow) | wire_waits | wire_runs | wire_updates
)
"""Commands as the wire lets them through."""


def contexts(
    command: SearchStrategy[c.Command] = commands, owner: Owner = OWNER
) -> SearchStrategy[c.CommandContext]:
    """Return commands with their moment, and an id that is new to all flows."""
    return st.builds(
        c.CommandContext,
        command=command,
        owner=st.just(owner),
        at=st.integers(0, 50),
        new_id=st.just("task-new"),
        caller=st.sampled_from(CALLERS),
    )
