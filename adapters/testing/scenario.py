"""Given some events, when a command comes, then these events or this refusal: without a store."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from attrs import frozen

from adapters.testing.differences import difference, one_line
from adapters.testing.examples import NOW, OWNER
from domain.flow.commands import Command, CommandContext
from domain.flow.decide import Decision, decide
from domain.flow.events import Event
from domain.flow.evolve import fold
from domain.flow.ids import CallerId, Owner
from domain.flow.refusals import Refusal, RefusalCode
from domain.flow.state import Flow

Decider: TypeAlias = Callable[[Flow | None, CommandContext], Decision]
"""What decides: `domain.flow.decide.decide`, or a rule of your own in front of it."""


@frozen
class Given:
    """A flow as it stands, or none."""

    found: Flow | None
    rules: Decider = decide

    @property
    def flow(self) -> Flow:
        """The flow, where there is one."""
        if self.found is None:
            raise AssertionError("there is no flow yet")
        return self.found

    def when(
        self,
        command: Command,
        *,
        at: int = NOW,
        owner: Owner = OWNER,
        new_id: str = "new-1",
        caller: CallerId | None = None,
    ) -> Decided:
        """Decide a command."""
        context = CommandContext(command=command, owner=owner, at=at, new_id=new_id, caller=caller)
        return Decided(self, context, self.rules(self.found, context))


@frozen
class Decided:
    """A command and the decision on it."""

    given: Given
    context: CommandContext
    decision: Decision

    @property
    def events(self) -> tuple[Event, ...]:
        """The events that were decided."""
        if isinstance(self.decision, Refusal):
            raise self._failure(f"was refused: {self.decision.code} ({self.decision.reason})")
        return self.decision

    @property
    def flow(self) -> Flow:
        """The flow after them."""
        return Given(fold(self.given.found, self.events)).flow

    @property
    def refusal(self) -> tuple[RefusalCode, str]:
        """The code and the reason of the refusal."""
        if isinstance(self.decision, Refusal):
            return self.decision.code, self.decision.reason
        found = ", ".join(map(one_line, self.decision)) or "nothing"
        raise self._failure(f"was accepted, with the events {found}")

    def then(self, *events: Event) -> Given:
        """Check the decided events, and go on from there; raises AssertionError with both."""
        if self.events != events:
            raise self._failure(f"led to other events (+):\n{difference(events, self.events)}")
        return Given(self.flow, self.given.rules)

    def refused(self, code: RefusalCode) -> Given:
        """Check the code of the refusal, and go on from before; raises AssertionError."""
        found, reason = self.refusal
        if found is not code:
            raise self._failure(f"was refused with {found}, not with {code}: {reason}")
        return self.given

    def nothing(self) -> Given:
        """Check that it was accepted and changes nothing, and go on; raises AssertionError."""
        return self.then()

    def _failure(self, what: str) -> AssertionError:
        flow = self.given.found
        state = "no flow" if flow is None else f"a {flow.status} flow at revision {flow.revision}"
        return AssertionError(f"{one_line(self.context.command)}\non {state} {what}")


def given(*events: Event, rules: Decider = decide) -> Given:
    """Begin with what happened before: nothing, or a creation and more."""
    return Given(fold(None, events), rules)
