"""Histories to generate: of commands that were decided, of any events, and illegal ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import frozen
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from adapters.testing.examples import FLOW, OWNER
from adapters.testing.strategies.alphabet import WILD
from adapters.testing.strategies.commands import flow_commands
from adapters.testing.targeting import at_revision_of
from domain.flow import events as e
from domain.flow.commands import CommandContext, CreateFlow, FlowCommand
from domain.flow.decide import Decision, decide
from domain.flow.evolve import fold
from domain.flow.refusals import Refusal
from domain.flow.state import Flow

endings: SearchStrategy[e.FlowEvent] = WILD.of(e.FlowSucceeded, e.FlowFailed, e.FlowCancelled)
waits: SearchStrategy[e.FlowEvent] = WILD.of(e.FlowBeganWaiting, e.FlowBecameBlocked)
moves = (
    waits
    | endings
    | WILD.of(e.FlowResumed, e.FlowResumedByLink, e.FlowWaitExpired, e.FlowCancelRequested)
)
"""Events that move a flow's revision."""
later_events: SearchStrategy[e.Event] = WILD.of(*e.EVENTS[1:])
histories = st.builds(
    lambda first, rest: (first, *rest), WILD.of(e.FlowCreated), st.lists(later_events, max_size=12)
)
"""Any events after a creation, also such as no command leads to: they can be read."""


@frozen
class DecidedStep:
    """A command of a history, and the decision on it."""

    before: Flow | None
    context: CommandContext
    decision: Decision

    @property
    def events(self) -> tuple[e.Event, ...]:
        """The events that were decided."""
        return () if isinstance(self.decision, Refusal) else self.decision

    @property
    def after(self) -> Flow | None:
        """The flow after them."""
        return fold(self.before, self.events)


def play(first: CreateFlow, rest: Sequence[tuple[FlowCommand, int]]) -> list[DecidedStep]:
    """Decide commands one after another, each at the flow's own revision, with counted ids."""
    steps: list[DecidedStep] = []
    flow: Flow | None = None
    for count, (command, at) in enumerate([(first, 0), *rest]):
        new_id = f"task-{count}" if count else FLOW
        aimed = at_revision_of(flow, command)
        context = CommandContext(command=aimed, owner=OWNER, at=at, new_id=new_id)
        steps.append(DecidedStep(flow, context, decide(flow, context)))
        flow = steps[-1].after
    return steps


def events_of(steps: Iterable[DecidedStep]) -> tuple[e.Event, ...]:
    """Return the events of all steps."""
    return tuple(event for step in steps for event in step.events)


decided_histories = st.builds(
    play,
    WILD.of(CreateFlow),
    st.lists(st.tuples(flow_commands, st.integers(0, 50)), min_size=1, max_size=12),
)
"""Histories as commands lead to them, step by step."""
legal_histories = decided_histories.map(events_of)
afterlives = st.builds(
    lambda history, ending, later: (*history, ending, later), legal_histories, endings, moves
)
"""Histories in which a flow moves after its end; they can be read, and are illegal."""


def _created_twice(history: tuple[e.Event, ...], cut: int) -> tuple[e.Event, ...]:
    at = 1 + cut % len(history)
    return (*history[:at], history[0], *history[at:])


unreadable_histories: SearchStrategy[tuple[e.Event, ...]] = st.one_of(
    st.lists(later_events, min_size=1, max_size=5).map(tuple),
    st.builds(_created_twice, legal_histories, st.integers(0, 11)),
)
"""Histories that no stream can be: without a creation, or with two."""
