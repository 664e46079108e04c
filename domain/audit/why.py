"""Why a field holds what it holds: the one event that gave it its value.

That is the event at which the field last took its present value: without it, it would hold
another, or there would be no such field. A later event may have said the same again; it changed
nothing, but had the first one not happened, it would have. Such events are named beside it, and
without all of them together the field holds something else at the end as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from attrs import frozen

from domain.audit.changes import Field, Value, has_field, value_of
from domain.audit.history import Step
from domain.evolve import evolve
from domain.flow import Flow


@frozen
class Why:
    """A field, its value, the step that gave it, and the later ones that said the same again."""

    field: Field
    value: Value
    step: Step
    again: tuple[Step, ...]


def why(history: Sequence[Step], field: Field) -> Why | None:
    """Return why a field holds what it holds at the end of a history; None if there is no such."""
    if not history or not has_field(history[-1].after, field):
        return None
    held = _held(history[-1].after, field)
    backwards = range(len(history) - 1, -1, -1)
    at = next(i for i in backwards if _held(history[i].before, field) != held)
    again = _said_again(history[at].before, history[at + 1 :], field)
    return Why(field, held[1], history[at], tuple(again))


def _said_again(flow: Flow | None, later: Iterable[Step], field: Field) -> Iterator[Step]:
    """Go on as if the value had not been given, and return the steps that would have given it."""
    if flow is None:  # it was given by the creation, without which nothing can be read
        return
    for step in later:
        held = _held(step.after, field)
        without = evolve(flow, step.record.event)
        if _held(without, field) == held:
            yield step
        else:
            flow = without


def _held(flow: Flow | None, field: Field) -> tuple[bool, Value]:
    return has_field(flow, field), value_of(flow, field)
