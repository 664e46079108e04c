"""The state machine: Hypothesis takes any steps it likes, on a driver and on the model.

`machine_for(factory)` makes the machine of a store, a gateway or a rule of your own, `explore` lets
it run. When driver and model disagree, the failure has a short way there, and a line to paste.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis import strategies as st
from hypothesis.control import current_build_context
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from hypothesis.strategies import SearchStrategy

from adapters.testing.drivers.driver import Ability, DriverFactory
from adapters.testing.drivers.pure import pure_core
from adapters.testing.failing import Moment, WriteFault
from adapters.testing.model import Model, Rules
from adapters.testing.reproducing import MakeRules, story
from adapters.testing.shrinking import shrink
from adapters.testing.steps import OWNERS, FailNextWrite, Restart, Send, Tick, TrialStep
from adapters.testing.strategies import commands as some
from adapters.testing.strategies.alphabet import PLAIN
from adapters.testing.targeting import CommandMutation, Target, retarget, retarget_run
from adapters.testing.trial import Trial
from domain.flow import commands as c
from domain.flow.ids import Owner

MOST_FLOWS: Final = 12
MOST_LIVE: Final = 3
STEPS_A_RUN: Final = 50
RUNS_AT_ONCE: Final = 200

# The first flows and tasks are chosen most, so that some of them become old.
targets = st.builds(
    Target,
    flow=st.sampled_from([0, 0, 0, 0, 1, 1, 2, 2, 3, 5, 10, 11]),
    task=st.sampled_from([0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 10, 11]),
    mutation=st.sampled_from([CommandMutation.NONE] * 15 + list(CommandMutation)[1:]),
)
keys = st.sampled_from([None] * 6 + ["k1", "k2"])
senders = st.sampled_from(OWNERS)
faults = st.sampled_from(
    [
        FailNextWrite(WriteFault.CONFLICT),
        FailNextWrite(WriteFault.UNAVAILABLE),
        FailNextWrite(WriteFault.DEATH),
        FailNextWrite(WriteFault.DEATH, Moment.AFTER),
    ]
)
"""What a store may do to a service; to say no after the write would be a broken promise."""


def _has_live_flows(machine: FlowMachine) -> bool:
    return machine.live() > 0


def _has_tasks(machine: FlowMachine) -> bool:
    return machine.trial.model.count_tasks() > 0


def _takes_anything(machine: FlowMachine) -> bool:
    return machine.trial.can(Ability.TAKES_ANYTHING)


def _may_lose(machine: FlowMachine) -> bool:
    return _takes_anything(machine) and _has_tasks(machine)


def _sending(
    commands: SearchStrategy[c.FlowCommand], condition: Callable[[FlowMachine], bool]
) -> Callable[..., None]:
    """Return a rule that sends commands about a flow or a task of the model."""

    def send(self: FlowMachine, which: Target, command: c.FlowCommand, key: str | None) -> None:
        self.send(which, command, key)

    wrapped: Callable[..., None] = rule(which=targets, command=commands, key=keys)(send)
    return precondition(condition)(wrapped)


class FlowMachine(RuleBasedStateMachine):
    """Takes steps on flows of three owners, and compares every answer with the model.

    `make_driver` makes the driver of each run, `make_rules` the rules of its model; a subclass
    gives its own, and may have more of Hypothesis' rules and invariants.
    """

    make_driver: ClassVar[DriverFactory] = staticmethod(pure_core)
    make_rules: ClassVar[MakeRules] = Rules
    taken: ClassVar[int] = 0
    """How many steps all runs of this machine took."""

    def __init__(self) -> None:
        """Begin without flows."""
        super().__init__()
        self.trial = Trial(type(self).make_driver, Model(type(self).make_rules()))
        self._failed = False

    @initialize(owner=senders, command=PLAIN.of(c.CreateFlow))
    def begin(self, owner: Owner, command: c.Command) -> None:
        """Open the first flow."""
        self.do(Send(owner, command))

    @precondition(lambda self: self.live() < MOST_LIVE and len(self.trial.model.flows) < MOST_FLOWS)
    @rule(owner=senders, command=PLAIN.of(c.CreateFlow), key=keys)
    def create(self, owner: Owner, command: c.Command, key: str | None) -> None:
        """Open another flow."""
        self.do(Send(owner, command, self._key(key)))

    continue_or_wait = _sending(
        some.wire_waits | PLAIN.of(c.ResumeFlow, c.ResumeEarly), _has_live_flows
    )
    # One rule for all that ends a flow: with a rule for each, few flows would live long.
    stop = _sending(PLAIN.of(c.RequestCancel, c.FinishFlow, c.FailFlow), _has_live_flows)
    cancel = _sending(PLAIN.of(c.CancelFlow), _has_live_flows)
    run_task = _sending(some.wire_runs, _has_live_flows)
    update_task = _sending(some.wire_updates, _has_tasks)
    lose_task = _sending(PLAIN.of(c.LoseTask), _may_lose)
    anything = _sending(some.flow_commands, _takes_anything)

    @precondition(_has_tasks)
    @rule(which=targets, command=some.wire_runs, key=keys)
    def run_again(self, which: Target, command: c.RunTask, key: str | None) -> None:
        """Repeat a run that linked a task."""
        again = retarget_run(self.trial.model, command, which)
        if again is not None:
            self.do(Send(*again, self._key(key)))

    @precondition(lambda self: self.trial.can(Ability.REMEMBERS_KEYS) and self._keyed())
    @rule(which=st.integers(0, 7))
    def repeat(self, which: int) -> None:
        """Send a request again, with its key."""
        keyed = self._keyed()
        self.do(keyed[which % len(keyed)])

    @precondition(lambda self: self.trial.can(Ability.KEEPS_TIME))
    @rule(milliseconds=st.sampled_from([1, 20, 300_000, -1, -20]))
    def tick(self, milliseconds: int) -> None:
        """Let time pass, or set the clock back."""
        self.do(Tick(milliseconds))

    @precondition(lambda self: self.trial.can(Ability.FAILS))
    @rule(fault=faults)
    def fail_next_write(self, fault: FailNextWrite) -> None:
        """Let the store fail."""
        self.do(fault)

    @rule(restart=st.booleans())
    def pause(self, *, restart: bool) -> None:
        """Compare all that can be read, or stop and start again."""
        if restart:
            self.do(Restart())
        else:
            type(self).taken += 1
            self._watched(self.trial.look)

    def do(self, step: TrialStep) -> None:
        """Take a step; a failure says how to reproduce it."""
        type(self).taken += 1
        self._watched(lambda: self.trial.do(step))

    def teardown(self) -> None:
        """Look at everything once more, and let go of the service."""
        try:
            if not self._failed:
                self._watched(self.trial.look)
        finally:
            self.trial.close()

    def send(self, target: Target, command: c.FlowCommand, key: str | None) -> None:
        """Send a command about a flow of the model."""
        owner, command = retarget(self.trial.model, self.trial.names, command, target)
        self.do(Send(owner, command, self._key(key)))

    def live(self) -> int:
        """Return how many flows have yet to end."""
        return sum(flow.is_live for flow in self.trial.model.flows.values())

    def _key(self, key: str | None) -> str | None:
        return key if self.trial.can(Ability.REMEMBERS_KEYS) else None

    def _keyed(self) -> list[Send]:
        return [step for step in self.trial.steps if isinstance(step, Send) and step.key]

    def _watched(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:
            self._failed = True
            if current_build_context().is_final:
                error.add_note(self._story())
            raise

    def _story(self) -> str:
        make_driver, make_rules = type(self).make_driver, type(self).make_rules
        steps = shrink(self.trial.steps, make_driver, make_rules)
        return story(steps, make_driver, make_rules)


def machine_for(factory: DriverFactory, rules: MakeRules = Rules) -> type[FlowMachine]:
    """Return the machine of a driver, and of the rules of your own where you have some."""
    members = {"make_driver": staticmethod(factory), "make_rules": staticmethod(rules)}
    return type("FlowMachine", (FlowMachine,), members)


def explore(machine: type[FlowMachine], steps: int) -> int:
    """Take at least so many steps with a machine, and return how many it were.

    A failure is made short by the kit, which is quick and knows what steps mean. It does not know
    rules that a subclass adds: run that as `Machine.TestCase`, and Hypothesis shrinks it.

    Raises:
        AssertionError: if driver and model disagree; its last note has a short way there.
    """
    before = machine.taken
    while machine.taken - before < steps:
        # NOTE: Hypothesis remembers all runs of a test in a tree, so a test has a few only.
        left = steps - (machine.taken - before)
        runs = min(RUNS_AT_ONCE, -(-left // STEPS_A_RUN))
        run_state_machine_as_test(machine, settings=_settings(runs))
    return machine.taken - before


def _settings(runs: int) -> settings:
    return settings(
        max_examples=runs,
        stateful_step_count=STEPS_A_RUN,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        verbosity=Verbosity.quiet,
    )
