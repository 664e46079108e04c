"""Ends the waits that are due, each once, by the wall clock.

`until` is an instant, so it is compared with the clock of the wall: one that is set forward ends
waits early, and one that is set back ends them later. A wait that has ended stays ended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from attrs import frozen

from domain.application.batch import Submission
from domain.application.outcomes import Accepted
from domain.application.ports import FlowStore
from domain.application.recorded_events import CommandMetadata
from domain.application.sessions import TaskFlows
from domain.flow.commands import ExpireWait
from domain.flow.ids import FlowId, Owner
from domain.flow.status import FlowStatus
from domain.flow.values import Timestamp

AT_ONCE: Final = 100
"""So many waits are ended in one commit at most."""


@frozen(kw_only=True)
class DueWait:
    """A flow whose wait is due, and since when."""

    owner: Owner
    flow_id: FlowId
    until: Timestamp


class WaitStore(FlowStore, Protocol):
    """A store that finds the waits that are due."""

    def due(self, now: Timestamp, after: DueWait | None, limit: int) -> Sequence[DueWait]:
        """Return the waits that are due, in the order in which they are, behind one of them."""
        ...


@frozen
class EndedWaits:
    """How many flows go on since their wait ended by time, and how many failed."""

    resumed: int = 0
    failed: int = 0


def end_due_waits(
    flows: TaskFlows,
    store: WaitStore,
    origin: CommandMetadata,
    goes_on: Callable[[], bool] = lambda: True,
) -> EndedWaits:
    """End all waits that are due now, some in one commit; before the next `goes_on` is asked.

    A wait that somebody else has ended meanwhile is left as it is. The fault of one flow keeps
    nobody from the others.

    Raises:
        Exception: the first fault, when the others are done.
    """
    now, ended, after = flows.clock(), EndedWaits(), None
    faults: list[Exception] = []
    while due := store.due(now, after, AT_ONCE):
        after = due[-1]
        for outcome in flows.carry_out([_submission(flows, wait, origin) for wait in due]):
            if isinstance(outcome, Exception):
                faults.append(outcome)
            elif isinstance(outcome, Accepted):
                failed = outcome.flow.status is FlowStatus.FAILED
                ended = EndedWaits(ended.resumed + (not failed), ended.failed + failed)
        if len(due) < AT_ONCE or not goes_on():
            break
    if faults:
        raise faults[0]
    return ended


def _submission(flows: TaskFlows, wait: DueWait, origin: CommandMetadata) -> Submission:
    command = ExpireWait(flow_id=wait.flow_id, until=wait.until)
    return flows.bind_session(wait.owner).submission(command, origin)
