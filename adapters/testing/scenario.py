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
from domain.flow.ids import Owner
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
        self, command: Command, *, at: int = NOW, owner: Owner = OWNER, new_id: str = "new-1"
    ) -> Decided:
        """Decide a command."""
        issued = CommandContext(command=command, owner=owner, at=at, new_id=new_id)
        return Decided(self, command, self.rules(self.found, issued))


@frozen
class Decided:
    """What became of a command."""

    given: Given
    command: Command
    decision: Decision

    @property
    def events(self) -> tuple[Event, ...]:
        """What it brought about."""
        match self.decision:
            case Refusal() as refusal:
                raise AssertionError(self._told(f"was refused: {_words(refusal)}"))
            case events:
                return events

    @property
    def flow(self) -> Flow:
        """The flow thereafter."""
        return Given(fold(self.given.found, self.events)).flow

    @property
    def refusal(self) -> tuple[RefusalCode, str]:
        """Why it brought about nothing."""
        match self.decision:
            case Refusal(code=code, reason=reason):
                return code, reason
            case events:
                brought = ", ".join(map(one_line, events)) or "nothing"
                raise AssertionError(self._told(f"was allowed, and brought about {brought}"))

    def then(self, *events: Event) -> Given:
        """Check what it brought about, and go on from there.

        Raises:
            AssertionError: if it was refused, or brought about anything else; it shows both.
        """
        if self.events != events:
            told = difference(events, self.events)
            raise AssertionError(self._told(f"brought about other events (+):\n{told}"))
        return Given(self.flow, self.given.rules)

    def refused(self, code: RefusalCode) -> Given:
        """Check that it was refused with a code, and go on from where it stood.

        Raises:
            AssertionError: if it was allowed, or refused with another code.
        """
        found, reason = self.refusal
        if found is not code:
            told = f"was refused with {found}, not with {code}: {reason}"
            raise AssertionError(self._told(told))
        return self.given

    def nothing(self) -> Given:
        """Check that it was allowed and changed nothing, and go on.

        Raises:
            AssertionError: if it was refused, or brought about anything.
        """
        return self.then()

    def _told(self, what: str) -> str:
        flow = self.given.found
        stood = "no flow" if flow is None else f"a {flow.status} flow at revision {flow.revision}"
        return f"{one_line(self.command)}\non {stood} {what}"


def _words(refusal: Refusal) -> str:
    return f"{refusal.code} ({refusal.reason})"


def given(*events: Event, rules: Decider = decide) -> Given:
    """Begin with what happened before: nothing, or a creation and more."""
    return Given(fold(None, events), rules)
