"""Why a field holds what it holds: the one event that gave it its value.

That is the event at which the field last took its present value. Without it the field would hold
something else, or not be there; unless a later event said the same again. That one changed
nothing, and would have: such events are named beside it, and without all of them together the
field holds something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from attrs import evolve as replace
from attrs import frozen

from domain.flow.events import Event, TaskEvent
from domain.flow.evolve import evolve
from domain.flow.evolve_task import evolve_tasks
from domain.flow.state import Flow
from domain.history.changes import FieldPath, Value, has_field, value_of
from domain.history.transitions import Transition

_ANOTHER: Final[Any] = object()
"""What no field holds. Values are kept and replaced as a flow evolves; only counts read any."""


@frozen
class Provenance:
    """A field, its value, the step that gave it, and the later ones that said the same again."""

    field: FieldPath
    value: Value
    step: Transition
    again: tuple[Transition, ...]


def why(history: Sequence[Transition], field: FieldPath) -> Provenance | None:
    """Return why a field holds what it holds at the end of a history; None if there is no such."""
    if not history or not has_field(history[-1].after, field):
        return None
    held = _held(history[-1].after, field)
    backwards = range(len(history) - 1, -1, -1)
    at = next(i for i in backwards if _held(history[i].before, field) != held)
    again = _said_again(history[at].after, history[at + 1 :], field)
    return Provenance(field, held[1], history[at], tuple(again))


def _said_again(flow: Flow, later: Iterable[Transition], field: FieldPath) -> Iterator[Transition]:
    """Go on as if the field held something else, and return the steps that give it its value."""
    flow = _with_another(flow, field)
    for step in later:
        flow = _evolved(flow, step.record.event, field)
        if value_of(flow, field) is not _ANOTHER:
            yield step
            flow = _with_another(flow, field)


def _evolved(flow: Flow, event: Event, field: FieldPath) -> Flow:
    if field.task_id is not None and isinstance(event, TaskEvent):
        # The counts of tasks would read the status that stands for another one.
        return replace(flow, tasks=evolve_tasks(flow.tasks, event))
    return evolve(flow, event)


def _with_another(flow: Flow, field: FieldPath) -> Flow:
    another = {field.name: _ANOTHER}
    if field.task_id is None:
        return replace(flow, **another)
    tasks = (replace(t, **another) if t.task_id == field.task_id else t for t in flow.tasks)
    return replace(flow, tasks=tuple(tasks))


def _held(flow: Flow | None, field: FieldPath) -> tuple[bool, Value]:
    return has_field(flow, field), value_of(flow, field)
