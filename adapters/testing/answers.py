"""Answers in one plain shape for the model, the core, a store and the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from attrs import asdict, fields, frozen
from attrs import evolve as replace

from domain.application.outcomes import Accepted, Outcome
from domain.application.views import FlowView, TaskSummary, TaskView
from domain.flow.commands import Command, LoseTask, UpdateTask
from domain.flow.values import Json

PlainView: TypeAlias = Mapping[str, object]
"""A flow, a task or a summary by the names of its fields: words and JSON as text, nothing None."""

ACCEPTED: Final = "accepted"
NOT_PERSISTED: Final = "persist_failed"
SOME_TIME: Final = "some time"
TIMES: Final = frozenset(
    {
        *("created_at", "updated_at", "ended_at", "cancel_requested_at"),
        *("started_at", "last_event_at", "cleanup_after"),
    }
)


@frozen
class Answer:
    """What became of a command: `accepted` or the code of a refusal, and what is shown with it.

    A cancellation lists `tasks`, newest first; `task` is the one that the command was about.
    """

    code: str
    reason: str = ""
    flow: PlainView | None = None
    task: PlainView | None = None
    tasks: tuple[PlainView, ...] = ()

    def __str__(self) -> str:
        if self.flow is None:
            return self.code
        return f"{self.code}: {self.flow.get('status')} at revision {self.flow.get('revision')}"


@frozen
class Listing:
    """Some flows, newest first, and what to ask with for the rest if there is a rest."""

    flows: tuple[PlainView, ...]
    cursor: object = None


def outcome_answer(outcome: Outcome, command: Command) -> Answer:
    """Return an outcome of the core as an answer."""
    tasks = tuple(plain_view(task) for task in outcome.tasks)
    flow = None if outcome.flow is None else plain_view(outcome.flow)
    task = None if outcome.task is None else plain_view(outcome.task)
    if isinstance(outcome, Accepted):
        return Answer(ACCEPTED, "", flow, task, tasks)
    subject = task if isinstance(command, UpdateTask | LoseTask) else None
    return Answer(str(outcome.code), outcome.reason, flow, subject, tasks)


def plain_view(view: FlowView | TaskView) -> PlainView:
    """Return a view of the core as it is shown."""
    held = ((field.name, getattr(view, field.name)) for field in fields(type(view)))
    return {name: _plain(value) for name, value in held if value is not None}


def plain_summary(summary: TaskSummary) -> PlainView:
    """Return the counts of a flow's tasks as they are shown."""
    return asdict(summary)


def _plain(value: object) -> object:
    if isinstance(value, Json):
        return value.text
    return str(value) if isinstance(value, str) else value


def timeless(answer: Answer) -> Answer:
    """Return an answer in which every moment is just some time.

    The order of tasks follows from their moments, so they stand by their ids instead.
    """
    return replace(
        answer,
        flow=None if answer.flow is None else timeless_view(answer.flow),
        task=None if answer.task is None else timeless_view(answer.task),
        tasks=tuple(sorted(map(timeless_view, answer.tasks), key=_task_id)),
    )


def _task_id(seen: PlainView) -> str:
    return str(seen.get("task_id"))


def timeless_view(seen: PlainView) -> PlainView:
    """Return what is shown, in which every moment is just some time."""
    return {name: SOME_TIME if name in TIMES else value for name, value in seen.items()}
