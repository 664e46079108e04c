"""One run: the model beside a driver, the same steps for both, and every answer compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, assert_never

from attrs import define, field

from adapters.testing.answers import NOT_PERSISTED, Answer, PlainView, timeless, timeless_view
from adapters.testing.clock import ControlledClock
from adapters.testing.differences import difference
from adapters.testing.drivers.driver import Ability, Driver, DriverFactory, LostAnswer
from adapters.testing.failing import Failure, Moment, WriteFault
from adapters.testing.ids import CountedIds
from adapters.testing.invariants import broken_invariants
from adapters.testing.model import Model
from adapters.testing.model.world import Prediction
from adapters.testing.names import Names
from adapters.testing.steps import OWNERS, FailNextWrite, Restart, Send, Tick, TrialStep, other_than
from domain.flow.ids import FlowId, Owner

LOST: Final = Answer("lost", "The service died before it answered.")
STATUSES: Final = ("queued", "running", "waiting", "blocked", "succeeded", "failed", "cancelled")
PAGE: Final = 3


class Mismatch(AssertionError):  # noqa: N818 - what was found
    """The service and the model disagree, or an invariant is broken."""


@define
class Trial:
    """A service and the model of it, side by side.

    Both begin without flows. Commands name flows and tasks as the model does; what the service
    answers is compared in these names, moments included if the driver keeps our time.
    """

    factory: DriverFactory
    model: Model = field(factory=Model)
    clock: ControlledClock = field(factory=ControlledClock)
    steps: list[TrialStep] = field(factory=list, init=False)
    driver: Driver = field(init=False)
    names: Names = field(factory=Names, init=False)
    _seen: dict[str, PlainView] = field(factory=dict, init=False)
    _planned: Failure | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        """Make the driver."""
        self.driver = self.factory(self.clock, CountedIds())

    def can(self, ability: Ability) -> bool:
        """Say whether the driver can do something."""
        return ability in self.driver.abilities

    def do(self, step: TrialStep) -> None:
        """Take a step on both sides; raises Mismatch."""
        self.steps.append(step)
        match step:
            case Send():
                self._send(step)
            case Tick(milliseconds):
                self.clock.advance(milliseconds)
            case Restart():
                self._restart()
            case FailNextWrite(fault, moment):
                self._planned = Failure(fault, moment)
                self.driver.fail(self._planned)
            case _:
                assert_never(step)

    def look(self) -> None:
        """Compare everything that every owner can read; raises Mismatch."""
        for owner in OWNERS:
            self._look_at_lists(owner)
            self._look_at(owner, FlowId("flow-none"))

    def close(self) -> None:
        """Let go of the service."""
        self.driver.close()

    def _send(self, step: Send) -> None:
        prediction = self.model.predict(step.owner, step.command, key=step.key, at=self.clock())
        failure = self._due(prediction)
        expected = _expected(prediction, failure)
        if failure is None or _is_written(failure):
            self.model.apply(prediction, step.owner, step.key)
        self._compare("the answer", expected, self._answer(step, expected))
        if expected is LOST:
            self._restart()
            self._learn_the_latest(step.owner)
        self._look_after(step)

    def _answer(self, step: Send, expected: Answer) -> Answer:
        command = self.names.addressed(step.command)
        try:
            answer = self.driver.send(step.owner, command, step.key)
        except LostAnswer:
            return LOST
        return self.names.read_answer(expected, answer)

    def _due(self, prediction: Prediction) -> Failure | None:
        """Return the failure that a command runs into: if it writes anything at all."""
        if prediction.change is None:
            return None
        planned, self._planned = self._planned, None
        return planned

    def _restart(self) -> None:
        self._planned = None
        self.driver.restart()

    def _learn_the_latest(self, owner: Owner) -> None:
        newest = next(iter(self.model.listed(owner)), None)
        self.names.learn(newest, self.driver.latest(owner))

    def _look_after(self, step: Send) -> None:
        """Look at the flow that a command was about, as its sender and as somebody else."""
        name = getattr(step.command, "flow_id", None) or f"flow-{len(self.model.flows)}"
        self._look_at(step.owner, FlowId(name))
        self._look_at(other_than(step.owner), FlowId(name))

    def _look_at(self, owner: Owner, name: FlowId) -> None:
        flow, flow_id = self.model.find(owner, name), self.names.id_of(name)
        expected = None if flow is None else flow.view
        found = self.names.read(expected, self.driver.find(owner, FlowId(flow_id)))
        self._compare(f"{name}, as {owner} sees it,", expected, found)
        if found is not None:
            broken = broken_invariants(self._seen.get(name, found), found)
            self._compare(f"what broke between two looks at {name}", [], broken)
            self._seen[name] = found

    def _look_at_lists(self, owner: Owner) -> None:
        listed = self.model.listed(owner)
        self._compare(f"the list of {owner}", listed, self._named(self._pages(owner)))
        for status in STATUSES:
            found = self.driver.listed(owner, limit=1000, status=status).flows
            expected = self.model.listed(owner, status)
            self._compare(f"the {status} flows of {owner}", expected, self._named(found))
        latest = next(iter(listed), None)
        for found_one in (self.driver.latest(owner), self.driver.resolve(owner, owner)):
            self._compare(f"the latest flow of {owner}", latest, self.names.named(found_one))
        for name in self.model.flows:
            self._look_closer(owner, name)

    def _look_closer(self, owner: Owner, name: FlowId) -> None:
        flow, flow_id = self.model.find(owner, name), self.names.id_of(name)
        view, counts = (None, None) if flow is None else (flow.view, flow.summary)
        resolved = self.names.named(self.driver.resolve(owner, flow_id))
        self._compare(f"{name}, resolved for {owner},", view, resolved)
        summary = self.driver.summary(owner, FlowId(flow_id))
        self._compare(f"the summary of {name}", counts, summary)

    def _pages(self, owner: Owner) -> Iterator[PlainView]:
        cursor: object = None
        for _ in range(len(self.model.flows) + 1):
            page = self.driver.listed(owner, limit=PAGE, cursor=cursor)
            yield from page.flows
            cursor = page.cursor
            if cursor is None:
                return
        raise Mismatch("the list never comes to its end")

    def _named(self, flows: Iterable[PlainView]) -> tuple[PlainView | None, ...]:
        return tuple(map(self.names.named, flows))

    def _compare(self, what: str, expected: object, actual: object) -> None:
        if not self.can(Ability.KEEPS_TIME):
            expected, actual = _untimed(expected), _untimed(actual)
        if expected != actual:
            raise Mismatch(f"{what} is not what the model says:\n{difference(expected, actual)}")


def _expected(prediction: Prediction, failure: Failure | None) -> Answer:
    if failure is None:
        return prediction.answer
    match failure.fault:
        case WriteFault.CONFLICT:
            return prediction.answer
        case WriteFault.UNAVAILABLE:
            return Answer(NOT_PERSISTED)
        case WriteFault.DEATH:
            return LOST
        case _:
            assert_never(failure.fault)


def _is_written(failure: Failure) -> bool:
    """Say whether a write that runs into a failure has to be done nevertheless.

    A lost race is run again; a store that says no has promised that nothing has event_count.
    """
    died_after = failure == Failure(WriteFault.DEATH, Moment.AFTER)
    return failure.fault is WriteFault.CONFLICT or died_after


def _untimed(value: object) -> object:
    if isinstance(value, Answer):
        return timeless(value)
    if isinstance(value, Mapping):
        return timeless_view(value)
    if isinstance(value, tuple):
        return tuple(map(_untimed, value))
    return value
