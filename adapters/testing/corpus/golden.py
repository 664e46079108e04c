"""Reads golden histories, folds them, and decides their steps again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from typing import Any, Final, TypeAlias

from attrs import frozen

from adapters.testing.answers import PlainView, plain_view
from adapters.testing.clock import ControlledClock
from adapters.testing.differences import difference
from adapters.testing.json_format import JsonObject, dump_event, load_event
from adapters.testing.scenario import Decider
from adapters.testing.steps import Send, Tick, TrialStep, load_step
from domain.application.views import flow_view, task_view
from domain.flow.commands import CommandContext, CreateFlow
from domain.flow.decide import Decision, decide
from domain.flow.evolve import fold
from domain.flow.ids import CallerId
from domain.flow.refusals import Refusal
from domain.flow.state import Flow

StepOutcome: TypeAlias = Mapping[str, Any]
"""The outcome of a step: `{"events": [...]}` or `{"refused": "<code>"}`."""

NOTHING: Final[StepOutcome] = {}
FLOW: Final = "flow-1"
PACKAGE: Final = "adapters.testing.corpus"


@frozen
class Golden:
    """A history: its steps with the outcome of each, and the views at its end."""

    name: str
    about: str
    steps: tuple[tuple[TrialStep, StepOutcome], ...]
    flow: PlainView
    tasks: tuple[PlainView, ...]


@frozen
class Difference:
    """Where a history is not what it was: the step, counted from 1, or None for the end of it."""

    history: str
    step: int | None
    text: str

    def __str__(self) -> str:
        where = "at its end" if self.step is None else f"at step {self.step}"
        return f"{self.history}, {where}:\n{self.text}"


def golden_histories() -> tuple[Golden, ...]:
    """Return the histories that ship with the package, by name."""
    found = [file for file in files(PACKAGE).iterdir() if file.name.endswith(".json")]
    by_name = sorted(found, key=lambda file: file.name)
    return tuple(
        load_golden(file.name.removesuffix(".json"), file.read_text("utf-8")) for file in by_name
    )


def load_golden(name: str, text: str) -> Golden:
    """Return the history that a JSON document holds."""
    document = json.loads(text)
    steps = ((load_step(each["step"]), _outcome(each)) for each in document["steps"])
    return Golden(
        name=name,
        about=document["about"],
        steps=tuple(steps),
        flow=document["flow"],
        tasks=tuple(document["tasks"]),
    )


def replay_corpus(
    histories: Iterable[Golden] | None = None, rules: Decider = decide
) -> tuple[Difference, ...]:
    """Return where histories are not what they were: none, or something that was kept broke.

    Each step is decided on the fold of what was recorded before it, so that one difference does
    not cause others.
    """
    chosen = golden_histories() if histories is None else histories
    return tuple(found for history in chosen for found in _replayed(history, rules))


def _replayed(golden: Golden, rules: Decider) -> Iterator[Difference]:
    flow: Flow | None = None
    clock = ControlledClock()
    for number, (step, outcome) in enumerate(golden.steps, 1):
        decided = step_outcome(take(step, flow, clock, rules))
        if decided != outcome:
            yield Difference(golden.name, number, difference(outcome, decided))
        flow = fold(flow, map(load_event, outcome.get("events", ())))
    for was, now in zip((golden.flow, golden.tasks), shown_at_the_end(flow), strict=True):
        if was != now:
            yield Difference(golden.name, None, difference(was, now))


def take(step: TrialStep, flow: Flow | None, clock: ControlledClock, rules: Decider) -> Decision:
    """Decide a step, or let the time pass that it says; ids are counted, as the model does."""
    match step:
        case Tick(milliseconds):
            clock.advance(milliseconds)
            return ()
        case Send(owner, command):
            count = 0 if flow is None else len(flow.tasks)
            new_id = FLOW if isinstance(command, CreateFlow) else f"task-{count + 1}"
            caller = CallerId(f"{owner}/default")
            return rules(
                flow,
                CommandContext(
                    command=command, owner=owner, at=clock(), new_id=new_id, caller=caller
                ),
            )
        case _:
            raise ValueError(f"a golden history has commands and ticks only: {step}")


def step_outcome(decision: Decision) -> StepOutcome:
    """Return a decision as a history holds it."""
    if isinstance(decision, Refusal):
        return {"refused": str(decision.code)}
    return {"events": [dump_event(event) for event in decision]} if decision else NOTHING


def shown_at_the_end(flow: Flow | None) -> tuple[PlainView, tuple[PlainView, ...]]:
    """Return the views of a flow and its tasks, the one linked last first.

    Callers see them by their age, which is the wire's order and may change; a history's may not.
    """
    if flow is None:
        raise ValueError("a golden history creates its flow")
    return plain_view(flow_view(flow)), tuple(
        plain_view(task_view(task, flow.flow_id)) for task in reversed(flow.tasks)
    )


def _outcome(step: JsonObject) -> StepOutcome:
    return {name: value for name, value in step.items() if name != "step"}
