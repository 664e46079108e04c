"""Commands that are carried out together."""

from __future__ import annotations

from attrs import frozen

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
