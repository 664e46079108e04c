"""One store of several: its name, and what is held while it is open."""

from __future__ import annotations

from contextlib import ExitStack

from attrs import define, field, frozen

from adapters.composition.jobs import Jobs
from adapters.composition.writer import Writer
from adapters.settings import ShardConfig
from adapters.store import EventSourcedStore
from domain.application.ports import StoreUnavailable


@frozen
class OpenShard:
    """A store that is open, and who writes to it."""

    store: EventSourcedStore
    writer: Writer


@define(eq=False)
class Shard:
    """A store by its name; a further one has jobs of its own while it is open."""

    config: ShardConfig
    current: OpenShard | None = None
    jobs: Jobs | None = None
    held: ExitStack = field(factory=ExitStack)
    fault: str | None = None
    is_never_waited_for: bool = False

    @property
    def name(self) -> str:
        """Return its name."""
        return self.config.name

    @property
    def open(self) -> OpenShard:
        """Return it open.

        Raises:
            StoreUnavailable: if it is not.
        """
        if self.current is None:
            raise StoreUnavailable(f"shard {self.name} is not open")
        return self.current

    def is_readable(self) -> bool:
        """Say whether it is open, and answers."""
        return self.current is not None and self.current.store.is_readable()
