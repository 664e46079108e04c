"""A flow's history as the commands read it, and the points in it that a user names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, assert_never

from adapters.cli.dependencies import CommandError
from adapters.presentation.printable import to_the_millisecond
from domain.flow.ids import FlowId
from domain.history.as_of import AtRevision, AtTime, AtVersion, Point, transition_at
from domain.history.audit_log import AuditLog
from domain.history.reading import read_entry
from domain.history.transitions import Transition, transitions

POINTS: Final = """\
A point in a flow's history is written as
  7                     a stream version: after the flow's 7th event
  r3                    a revision: after the last event of revision 3
  2026-11-26T10:00:00Z  a time: after the last event until then; in UTC, if it
                        has no offset, and a date alone is its first moment
"""
FLOW_TROUBLE: Final = """\
wrong arguments or configuration, no such store or flow, a point that
     the flow never reached, or a damaged store"""


def read_history(audit_log: AuditLog, flow_id: FlowId) -> Sequence[Transition]:
    """Return all that happened to a flow, in order.

    Raises:
        CommandError: if there is no such flow.
        Unreadable: if an event of it is damaged.
        BrokenHistory: if one is missing.
    """
    history = tuple(
        transitions(read_entry(audit_log, entry) for entry in audit_log.stream(flow_id))
    )
    if not history:
        raise CommandError(f"there is no flow {flow_id}")
    return history


def step_of(history: Sequence[Transition], at: Point) -> Transition:
    """Return the step after which a flow stood as it did at a point.

    Raises:
        CommandError: if it never stood there; the sentence says where it stands.
    """
    found = transition_at(history, at)
    if found is None:
        raise CommandError(_never(history, at))
    return found


def place_text(step: Transition) -> str:
    """Return where a step is in its history, as in `version 7, revision 3`."""
    return f"version {step.record.version}, revision {step.after.revision}"


def moment_text(step: Transition) -> str:
    """Return where a step is in its history, and when it happened."""
    return f"{place_text(step)}, {to_the_millisecond(step.record.event.at)}"


def _never(history: Sequence[Transition], at: Point) -> str:
    flow = history[-1].after
    match at:
        case AtVersion(version):
            return f"flow {flow.flow_id} has no version {version}: {_newest(flow.version)}"
        case AtRevision(revision):
            return f"flow {flow.flow_id} has no revision {revision}: {_newest(flow.revision)}"
        case AtTime(moment):
            then, created = to_the_millisecond(moment), to_the_millisecond(flow.created_at)
            return f"flow {flow.flow_id} was not there at {then}: it was created at {created}"
        case _:
            assert_never(at)


def _newest(number: int) -> str:
    return f"its newest is {number}"
