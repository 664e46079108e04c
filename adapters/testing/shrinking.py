"""Makes the steps to a failure fewer and plainer, as long as they still lead to one.

It knows what steps mean: without the one that created a flow, later flows have other names, and
without one that moved a revision, later commands expect another.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from attrs import NOTHING, fields, frozen
from attrs import evolve as replace

from adapters.testing.clock import ControlledClock
from adapters.testing.drivers.driver import DriverFactory
from adapters.testing.model import Model
from adapters.testing.reproducing import MakeRules
from adapters.testing.steps import OWNERS, Send, Tick, TrialStep
from adapters.testing.trial import Trial
from domain.flow.commands import REVISIONED, Command, LoseTask
from domain.flow.ids import FlowId, Owner

Steps: TypeAlias = tuple[TrialStep, ...]

PASSES: Final = 3
SECONDS: Final = 20.0
KEY: Final = "key"
PLAIN: Final = "a"
START: Final = ControlledClock().now
FREE: Final = frozenset({"goal", "controller_id", "task"})
"""Texts that a command must have, whatever they say."""


@frozen
class FlowPositions:
    """What there is at a step: the revisions of the flows, and how many tasks they have."""

    revisions: Mapping[FlowId, int]
    tasks: int


@frozen
class FailingSteps:
    """Steps of which the last fails, and what there was before each of them."""

    steps: Steps
    positions: tuple[FlowPositions, ...]


@frozen
class Shrinker:
    """Tries steps until a moment of the monotonic clock, in seconds."""

    factory: DriverFactory
    rules: MakeRules
    until: float

    def shorten(self, steps: Steps) -> Steps:
        """Return fewer and plainer steps that fail as well, or the same."""
        best = self._tried(steps)
        if best is None:
            return steps
        for _ in range(PASSES):
            best = self._tried(_at_once(best.steps)) or best
            best = self._plainer(self._shorter(best))
        return best.steps

    def _shorter(self, best: FailingSteps) -> FailingSteps:
        for at in reversed(range(len(best.steps))):
            if at < len(best.steps) - 1:
                simply = (*best.steps[:at], *best.steps[at + 1 :])
                best = self._tried(_without(best, at)) or self._tried(simply) or best
        return best

    def _plainer(self, best: FailingSteps) -> FailingSteps:
        for owner in OWNERS[1:]:
            best = self._tried(_sent_by_the_first(best.steps, owner)) or best
        for at in range(len(best.steps)):
            for name, value in _plain_fields(best.steps, at):
                best = self._tried(_with(best.steps, at, name, value)) or best
        return best

    def _tried(self, steps: Steps) -> FailingSteps | None:
        """Take steps, looking at everything after each; None if they do not fail."""
        if time.monotonic() > self.until:
            return None
        trial = Trial(self.factory, Model(self.rules()))
        positions: list[FlowPositions] = []
        try:
            for step in steps:
                positions.append(_positions(trial.model))
                trial.do(step)
                trial.look()
        except Exception:  # noqa: BLE001 - any exception is the failure
            return FailingSteps(steps[: len(positions)], tuple(positions))
        finally:
            trial.close()
        return None


def shrink(
    steps: Sequence[TrialStep],
    factory: DriverFactory,
    rules: MakeRules,
    *,
    seconds: float = SECONDS,
) -> Steps:
    """Return fewer and plainer steps that fail as well, found in so many seconds."""
    return Shrinker(factory, rules, time.monotonic() + seconds).shorten(tuple(steps))


def _positions(model: Model) -> FlowPositions:
    revisions = {name: flow.revision for name, flow in model.flows.items()}
    return FlowPositions(revisions, model.count_tasks())


def _without(failing: FailingSteps, at: int) -> Steps:
    """Return the steps but one; later steps are adapted to that."""
    before, after = failing.positions[at], failing.positions[at + 1]
    gone, rest = failing.steps[at], failing.steps[at + 1 :]
    if isinstance(gone, Tick):
        rest = tuple(_dated(step, lambda moment: moment - gone.milliseconds) for step in rest)
    for flow_id, revision in before.revisions.items():
        moved = after.revisions[flow_id] - revision
        rest = tuple(_expecting_less(step, flow_id, moved) for step in rest)
    if len(after.revisions) > len(before.revisions):
        rest = tuple(_renamed(step, "flow", len(after.revisions)) for step in rest)
    if after.tasks > before.tasks:
        rest = tuple(_renamed(step, "task", after.tasks) for step in rest)
    return (*failing.steps[:at], *rest)


def _at_once(steps: Steps) -> Steps:
    """Return the steps as if no time passed between them."""
    return tuple(_dated(step, lambda _: START) for step in steps if not isinstance(step, Tick))


def _dated(step: TrialStep, change: Callable[[int], int]) -> TrialStep:
    """Return a step with another `silent_before`, if it has one."""
    match step:
        case Send(command=LoseTask(silent_before=int(moment))):
            return _having(step, "silent_before", change(moment))
        case _:
            return step


def _expecting_less(step: TrialStep, flow_id: FlowId, moved: int) -> TrialStep:
    if not isinstance(step, Send) or not isinstance(step.command, REVISIONED):
        return step
    expected = step.command.expected_revision
    if step.command.flow_id != flow_id or expected is None or expected < moved:
        return step
    return replace(step, command=replace(step.command, expected_revision=expected - moved))


def _renamed(step: TrialStep, kind: str, gone: int) -> TrialStep:
    if not isinstance(step, Send):
        return step
    name = getattr(step.command, f"{kind}_id", "")
    number = re.fullmatch(rf"{kind}-(\d+)", name)
    if number is None or int(number[1]) <= gone:
        return step
    return _having(step, f"{kind}_id", f"{kind}-{int(number[1]) - 1}")


def _sent_by_the_first(steps: Steps, owner: Owner) -> Steps:
    return tuple(
        replace(step, owner=OWNERS[0]) if isinstance(step, Send) and step.owner == owner else step
        for step in steps
    )


def _plain_fields(steps: Steps, at: int) -> Iterator[tuple[str, object]]:
    """Return the fields of a step that could be plainer, each with its plainest value."""
    step = steps[at] if at < len(steps) else None
    if not isinstance(step, Send):
        return
    if step.key is not None:
        yield KEY, None
    for field in fields(type(step.command)):
        held = getattr(step.command, field.name)
        plain = PLAIN if field.default is NOTHING else field.default
        if held != plain and (field.name in FREE or field.default is not NOTHING):
            yield field.name, plain


def _with(steps: Steps, at: int, name: str, value: object) -> Steps:
    return tuple(
        _having(step, name, value) if number == at and isinstance(step, Send) else step
        for number, step in enumerate(steps)
    )


def _having(step: Send, name: str, value: object) -> Send:
    changed: Any = {name: value}
    if name == KEY:
        return replace(step, **changed)
    command: Command = replace(step.command, **changed)
    return replace(step, command=command)
