"""What happened, for people and programs: each event's name, and what it says.

The names are ours, not those of the classes: a class may be renamed, an output may not.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from attrs import frozen

from adapters.presentation.printable import shortened, to_the_millisecond
from domain.flow import events as e
from domain.flow.values import Json
from domain.history.published import said

_LONGEST: Final = 60
"""How many characters of one field a summary shows."""


@frozen
class _Wording:
    """An event's name for programs, its verb for people, and the fields that a summary names."""

    name: str
    verb: str
    fields: tuple[str, ...] = ()


_WAIT: Final = (
    *("current_step", "blocked_task_id", "blocked_summary", "wait_json", "state_json"),
    *("until", "on_timeout", "link_hash", "requester"),
)
_RESUME: Final = ("status", "current_step", "state_json")
_FAIL: Final = ("blocked_task_id", "blocked_summary", "state_json")
_OPEN: Final = (
    *("status", "goal", "controller_id", "correlation_key"),
    *("current_step", "wait_json", "state_json", "requester"),
)
_LINK: Final = ("status", "runtime", "task", "label", "run_id", "child_session_key")
_NEWS: Final = ("progress_summary",)
_END: Final = ("status", "error", "terminal_outcome", "terminal_summary", "progress_summary")
_MORE: Final = ("task", "label", "source_id", "parent_task_id", "notify_policy")

_WORDINGS: Final[dict[type[e.Event], _Wording]] = {
    e.FlowCreated: _Wording("flow_created", "created", _OPEN),
    e.FlowBeganWaiting: _Wording("flow_began_waiting", "began waiting", _WAIT),
    e.FlowBecameBlocked: _Wording("flow_became_blocked", "became blocked", _WAIT),
    e.FlowResumed: _Wording("flow_resumed", "resumed", _RESUME),
    e.FlowResumedByLink: _Wording("flow_resumed_by_link", "resumed by a link", ("link_hash",)),
    e.FlowResumeKept: _Wording("flow_resume_kept", "resume kept for its next wait", _RESUME),
    e.FlowWaitExpired: _Wording("flow_wait_expired", "wait expired", ("on_timeout",)),
    e.FlowSucceeded: _Wording("flow_succeeded", "succeeded", ("state_json",)),
    e.FlowFailed: _Wording("flow_failed", "failed", _FAIL),
    e.FlowCancelRequested: _Wording("flow_cancel_requested", "cancel requested"),
    e.FlowCancelled: _Wording("flow_cancelled", "cancelled"),
    e.TaskLinked: _Wording("task_linked", "linked", _LINK),
    e.TaskDescribed: _Wording("task_described", "described", _MORE),
    e.TaskStarted: _Wording("task_started", "started", _NEWS),
    e.TaskProgressed: _Wording("task_progressed", "progressed", _NEWS),
    e.TaskEnded: _Wording("task_ended", "ended", _END),
}

EVENT_NAMES: Final = tuple(wording.name for wording in _WORDINGS.values())
"""The names of all events, in the order of a flow's life."""

_NAMES: Final = {
    "controller_id": "controller",
    "current_step": "step",
    "blocked_task_id": "blocked by",
    "blocked_summary": "because",
    "wait_json": "wait",
    "state_json": "state",
    "link_hash": "link with SHA-256",
    "requester": "not to be resumed by",
    "progress_summary": "progress",
    "terminal_outcome": "outcome",
    "terminal_summary": "summary",
}


def event_name(event: e.Event) -> str:
    """Return an event's name for programs."""
    return _WORDINGS[type(event)].name


def event_summary(event: e.Event) -> str:
    """Return what an event says, shortened and printable."""
    wording, given = _WORDINGS[type(event)], said(event)
    subject = f"task {given['task_id']} " if "task_id" in given else ""
    details = [
        f"{_NAMES.get(name, name.replace('_', ' '))} {_brief(name, given[name])}"
        for name in wording.fields
        if name in given
    ]
    return shortened(f"{subject}{wording.verb}", 200) + (
        ": " + ", ".join(details) if details else ""
    )


def _brief(name: str, value: object) -> str:
    match value:
        case int() if name == "until":
            return to_the_millisecond(value)
        case None:
            return "cleared"
        case Json(text):
            return shortened(text, _LONGEST)
        case StrEnum():
            return value.value
        case _:
            return f'"{shortened(str(value), _LONGEST)}"'
