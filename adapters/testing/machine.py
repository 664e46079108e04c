"""The state machine: Hypothesis takes any steps it likes, on a driver and on the model.

`machine_for(factory)` makes the machine of a store, a gateway or a rule of your own, `explore` lets
it run. When driver and model disagree, the failure tells a short way there, and ends with a line to
paste.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final, TypeAlias

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

from adapters.testing.drivers.driver import Ability, DriverFactory
from adapters.testing.drivers.pure import pure_core
from adapters.testing.failing import Moment, StoreFault
from adapters.testing.model import Model, Rules
from adapters.testing.reproducing import MakeRules, story
from adapters.testing.shrinking import shrink
from adapters.testing.steps import OWNERS, FailNextWrite, Restart, Send, Tick, TrialStep
from adapters.testing.strategies import commands as some
from adapters.testing.strategies.alphabet import PLAIN
from adapters.testing.targeting import CommandMutation, Target, retarget, retarget_run
from adapters.testing.trial import Trial
from domain.flow.commands import (
    CancelFlow,
    Command,
    CreateFlow,
    FailFlow,
    FinishFlow,
    FlowCommand,
    LoseTask,
    RequestCancel,
    ResumeFlow,
    RunTask,
    SetWaiting,
)
from domain.flow.ids import Owner

MOST_FLOWS: Final = 12
MOST_LIVE: Final = 3
STEPS_A_RUN: Final = 50
RUNS_AT_ONCE: Final = 200

Key: TypeAlias = str | None

# The first flows and tasks are meant most, so that some of them have a long flow.
aims = st.builds(
    Target,
    flow=st.sampled_from([0, 0, 0, 0, 1, 1, 2, 2, 3, 5, 10, 11]),
    task=st.sampled_from([0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 10, 11]),
    stray=st.sampled_from([CommandMutation.NOT] * 15 + list(CommandMutation)[1:]),
)
keys = st.sampled_from([None] * 6 + ["k1", "k2"])
senders = st.sampled_from(OWNERS)
faults = st.sampled_from(
    [
        FailNextWrite(StoreFault.CONFLICT),
        FailNextWrite(StoreFault.UNAVAILABLE),
        FailNextWrite(StoreFault.DEATH),
        FailNextWrite(StoreFault.DEATH, Moment.AFTER),
    ]
)
"""What a store may do to a service; to say no after the write would be a broken promise."""


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

    @initialize(owner=senders, command=PLAIN.of(CreateFlow))
    def begin(self, owner: Owner, command: Command) -> None:
        """Open the first flow."""
        self.do(Send(owner, command))

    @precondition(lambda self: self._wants_flows())
    @rule(owner=senders, command=PLAIN.of(CreateFlow), key=keys)
    def create(self, owner: Owner, command: Command, key: Key) -> None:
        """Open another flow."""
        self.do(Send(owner, command, self._key(key)))

    @precondition(lambda self: self._has_live_flows())
    @rule(aim=aims, command=PLAIN.of(SetWaiting, ResumeFlow), key=keys)
    def bring_on(self, aim: Target, command: FlowCommand, key: Key) -> None:
        """Let a flow wait, block it, or let it go on."""
        self._send(aim, command, key)

    # One rule for all that stops a flow: each a rule of its own, and few flows would live to tell.
    @precondition(lambda self: self._has_live_flows())
    @rule(aim=aims, command=PLAIN.of(RequestCancel, FinishFlow, FailFlow), key=keys)
    def stop(self, aim: Target, command: FlowCommand, key: Key) -> None:
        """End a flow, or want it cancelled."""
        self._send(aim, command, key)

    @precondition(lambda self: self._has_live_flows())
    @rule(aim=aims, command=PLAIN.of(CancelFlow), key=keys)
    def cancel(self, aim: Target, command: FlowCommand, key: Key) -> None:
        """Cancel a flow: mostly one with tasks, which is then pending."""
        self._send(aim, command, key)

    @precondition(lambda self: self._has_live_flows())
    @rule(aim=aims, command=some.wire_runs, key=keys)
    def run_task(self, aim: Target, command: FlowCommand, key: Key) -> None:
        """Link a task, or tell more of one."""
        self._send(aim, command, key)

    @precondition(lambda self: self._has_tasks())
    @rule(aim=aims, command=some.wire_runs, key=keys)
    def run_again(self, aim: Target, command: RunTask, key: Key) -> None:
        """Tell more of a task, by the run that linked it."""
        again = retarget_run(self.trial.model, command, aim)
        if again is not None:
            self.do(Send(*again, self._key(key)))

    @precondition(lambda self: self._has_tasks())
    @rule(aim=aims, command=some.wire_updates, key=keys)
    def update_task(self, aim: Target, command: FlowCommand, key: Key) -> None:
        """Report a task."""
        self._send(aim, command, key)

    @precondition(lambda self: self.trial.can(Ability.TAKES_ANYTHING) and self._has_tasks())
    @rule(aim=aims, command=PLAIN.of(LoseTask), key=keys)
    def lose_task(self, aim: Target, command: FlowCommand, key: Key) -> None:
        """Give up a task."""
        self._send(aim, command, key)

    @precondition(lambda self: self.trial.can(Ability.TAKES_ANYTHING))
    @rule(aim=aims, command=some.flow_commands, key=keys)
    def anything(self, aim: Target, command: FlowCommand, key: Key) -> None:
        """Send what the wire would not let through."""
        self._send(aim, command, key)

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
        """Take a step; a failure tells how to come there again."""
        type(self).taken += 1
        self._watched(lambda: self.trial.do(step))

    def teardown(self) -> None:
        """Look at everything once more, and let go of the service."""
        try:
            if not self._failed:
                self._watched(self.trial.look)
        finally:
            self.trial.close()

    def _send(self, aim: Target, command: FlowCommand, key: Key) -> None:
        owner, aimed = retarget(self.trial.model, self.trial.names, command, aim)
        self.do(Send(Owner(owner), aimed, self._key(key)))

    def _wants_flows(self) -> bool:
        return self._live() < MOST_LIVE and len(self.trial.model.flows) < MOST_FLOWS

    def _has_live_flows(self) -> bool:
        return self._live() > 0

    def _live(self) -> int:
        return sum(flow.is_live for flow in self.trial.model.flows.values())

    def _has_tasks(self) -> bool:
        return any(flow.tasks for flow in self.trial.model.flows.values())

    def _key(self, key: Key) -> Key:
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
        AssertionError: if driver and model disagree; its last note tells a short way there.
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
