"""Commands of an operator, and of the system, on the flows of all owners."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from attrs import Factory, evolve, frozen

from domain.application.batch import CarryOut, carry_out
from domain.application.due_waits import EndedWaits, WaitStore, end_due_waits
from domain.application.listening import ListeningPeriod
from domain.application.outcomes import Outcome
from domain.application.ports import Clock, NewId
from domain.application.recorded_events import Actor, ActorKind, CommandMetadata
from domain.application.sessions import TaskFlows
from domain.application.sweep import Sightings, Sweeper, Swept, SweptStore
from domain.flow.commands import CancelFlow
from domain.flow.ids import FlowId, Owner, RequestId

SYSTEM: Final = Actor(kind=ActorKind.SYSTEM, name="sweep")


class OperatedStore(SweptStore, WaitStore, Protocol):
    """A store that finds the owner of a flow."""

    def owner_of(self, flow_id: FlowId) -> Owner | None:
        """Return the owner of a flow."""
        ...


@frozen
class Operators:
    """Commands in the name of an operator, or of the system, on flows of whichever owner."""

    store: OperatedStore
    clock: Clock
    new_id: NewId
    actor: Actor
    carry_out: CarryOut = Factory(lambda self: partial(carry_out, self.store), takes_self=True)

    def cancel(self, flow_id: FlowId) -> Outcome:
        """Cancel a flow; one that does not exist is refused as it is for a caller."""
        session = self._flows().bind_session(self.store.owner_of(flow_id) or Owner(""))
        return session.execute(CancelFlow(flow_id=flow_id), self._origin())

    def give_up_children(self, flow_id: FlowId) -> Swept:
        """Give up all active children of a flow, whatever their news."""
        owner = self.store.owner_of(flow_id)
        return Swept() if owner is None else self._sweeper().give_up(owner, flow_id)

    def sweep(self, lost_after: int) -> Swept:
        """Give up the children that are stale for so many milliseconds, by the wall clock."""
        return self._sweeper().sweep(self.clock() - lost_after)

    def sweep_stale(
        self,
        period: ListeningPeriod,
        sightings: Sightings,
        goes_on: Callable[[], bool] = lambda: True,
    ) -> tuple[Swept, Sightings]:
        """Give up the children that gave no news while this process listened for long enough.

        It ends before the next flow where `goes_on` says no. Returns also what it saw of those
        whose news is from the future, for the next sweep.
        """
        sweeper = evolve(self._sweeper(), goes_on=goes_on)
        swept, seen = sweeper.sweep_ahead(period, sightings)
        before = period.stale_before
        rest = sweeper.sweep_claimed(period) if before is None else sweeper.sweep(before)
        return swept + rest, seen

    def end_due_waits(self, goes_on: Callable[[], bool] = lambda: True) -> EndedWaits:
        """End the waits that are due, in steps, as long as `goes_on` says so."""
        return end_due_waits(self._flows(), self.store, self._origin(), goes_on)

    def _sweeper(self) -> Sweeper:
        return Sweeper(self.store, self._flows(), self._origin())

    def _flows(self) -> TaskFlows:
        return TaskFlows(self.store, self.clock, self.new_id, self.carry_out)

    def _origin(self) -> CommandMetadata:
        return CommandMetadata(actor=self.actor, request_id=RequestId(self.new_id()))
