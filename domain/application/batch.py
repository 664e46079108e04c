"""Commands that are carried out together."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from domain.application.outcomes import Outcome
from domain.application.ports import FlowStore
from domain.application.recorded_events import CommandMetadata
from domain.flow.commands import CommandContext
from domain.flow.ids import Owner


@frozen
class Submission:
    """A command that is to be carried out, and where it comes from."""

    context: CommandContext
    metadata: CommandMetadata

    @property
    def owner(self) -> Owner:
        """Whose command it is."""
        return self.context.owner


def carry_out(store: FlowStore, submissions: Sequence[Submission]) -> Sequence[Outcome | Exception]:
    """Carry out commands in order; return the outcome of each, or the exception that it raised."""
    from domain.application.sessions import carry_out_alone  # noqa: PLC0415 - each imports the other

    found: list[Outcome | Exception] = []
    for each in submissions:
        try:
            found.append(carry_out_alone(store, each))
        except Exception as fault:  # noqa: BLE001 - whatever it is, it is the answer to its command
            found.append(fault)
    return found
