"""What the machine asks of whatever it drives."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Protocol, TypeAlias

from adapters.testing.answers import Answer, Listing, PlainView
from adapters.testing.failing import Failure
from domain.application.ports import Clock, NewId
from domain.flow.commands import Command
from domain.flow.ids import FlowId, Owner


class Ability(Enum):
    """What not every driver can do; the machine leaves out what its driver cannot."""

    KEEPS_TIME = "keeps time"
    """It reads the clock that it is given, so that moments can be foretold."""
    REMEMBERS_KEYS = "remembers keys"
    """It takes idempotency keys."""
    TAKES_ANYTHING = "takes anything"
    """It takes commands that the wire would not let through, `LoseTask` among them."""
    FAILS = "fails"
    """Its writes can be made to fail."""


class LostAnswer(Exception):  # noqa: N818 - what happened to the answer
    """The service died before it answered: the command may have happened, or not."""


class Driver(Protocol):
    """A service with flows of several owners, empty at the start.

    Owners are those of `adapters.testing.steps`. Ids are the service's own; everything is returned
    in the shape of `adapters.testing.answers`.
    """

    @property
    def abilities(self) -> frozenset[Ability]:
        """What it can do."""
        ...

    def send(self, owner: Owner, command: Command, key: str | None) -> Answer:
        """Send a command of an owner.

        Raises:
            LostAnswer: if it is not known whether it happened; a restart is due.
        """
        ...

    def find(self, owner: Owner, flow_id: FlowId) -> PlainView | None:
        """Return what an owner is shown of a flow."""
        ...

    def latest(self, owner: Owner) -> PlainView | None:
        """Return the flow that an owner created last."""
        ...

    def resolve(self, owner: Owner, token: str) -> PlainView | None:
        """Return the flow of a token: its id, or the owner's name for the latest."""
        ...

    def summary(self, owner: Owner, flow_id: FlowId) -> PlainView | None:
        """Return the counts of a flow's tasks."""
        ...

    def listed(
        self, owner: Owner, *, limit: int, status: str | None = None, cursor: object = None
    ) -> Listing:
        """Return some flows of an owner, newest first."""
        ...

    def fail(self, failure: Failure) -> None:
        """Let a write to come fail; called only with (`Ability.FAILS`)."""
        ...

    def restart(self) -> None:
        """Stop and start again, over the same store."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


DriverFactory: TypeAlias = Callable[[Clock, NewId], Driver]
"""Makes a driver over an empty store, once for each run; both come from the machine."""
