"""The stores of a gateway that has several: each owner is pinned to one of them, once and for all.

The first store has it written who is pinned where, and must be there at the start. A further one
that is gone is tried again each second; its owners are answered 503 meanwhile, the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from threading import Lock, get_ident
from typing import Final, cast

from attrs import define, field, frozen

from adapters import cli
from adapters.composition.checkpoints import signing_of
from adapters.composition.clock_and_ids import LOG, log_failure, new_id, now
from adapters.composition.jobs import doing_jobs
from adapters.composition.shard import OpenShard, Shard
from adapters.composition.stores import opened
from adapters.composition.writer import flows_of, writing
from adapters.logs import log_fault, log_milestone
from adapters.metrics import GatewayMetrics
from adapters.schedule import every
from adapters.settings import Settings
from adapters.store import (
    EventSourcedStore,
    has_flows_of,
    is_same_store,
    owners_of_shards,
    pin_to_shard,
    pinned_shard,
    some_owners,
)
from domain.application.batch import Submission
from domain.application.outcomes import Outcome
from domain.application.ports import FlowStore, StoreUnavailable
from domain.application.sessions import LinkTarget, OwnerSession
from domain.flow.ids import Owner

_RETRY_SECONDS: Final = 1.0


@define(eq=False)
class Shards:
    """All stores of a gateway, as the flows that its routes are bound to."""

    settings: Settings
    first: OpenShard
    open_store: Callable[[str], EventSourcedStore]
    metrics: GatewayMetrics
    is_listening: Callable[[], bool] = field(default=lambda: True, init=False)
    _loop: int | None = field(default=None, init=False)
    _shards: Sequence[Shard] = field(init=False)
    _pins: dict[Owner, Shard] = field(factory=dict, init=False)
    _wanted: dict[Owner, None] = field(factory=dict, init=False)
    _lock: Lock = field(factory=Lock, init=False)
    _is_failing: bool = field(default=False, init=False)

    @_shards.default
    def _all(self) -> Sequence[Shard]:
        first, *others = self.settings.shards
        return [Shard(first, self.first), *map(Shard, others)]

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Open the further stores, and try those again that are gone, while the context lasts."""
        try:
            self._check_names()
            self.look()
        except StoreUnavailable as error:
            self._log(error)
        try:
            with every(_RETRY_SECONDS, self.look, self._log):
                yield
        finally:
            for shard in self._shards:
                shard.held.close()

    def bind_session(self, owner: Owner) -> OwnerSession:
        """Return the handle to one owner's flows, wherever they are."""
        with self._lock:
            self._wanted[owner] = None
            self._why_not_pinned(owner)
        store = cast("FlowStore", _StoreOfOwner(self, owner))
        return OwnerSession(store, now, new_id, lambda items: self._do_all(owner, items), owner)

    def find_link(self, link_hash: str) -> LinkTarget | None:
        """Return what a resume link is for; it does not say in which store.

        Raises:
            StoreUnavailable: if one of them is gone, and it is in no other.
        """
        gone: StoreUnavailable | None = None
        for shard in self._shards:
            try:
                at = self._asked(shard)
                found = flows_of(at.store, at.writer).find_link(link_hash)
            except StoreUnavailable as error:
                gone = error
                continue
            if found is not None:  # its owner may have no route any more
                self._pins.setdefault(found.session.owner, shard)
                return found
        if gone is not None:
            raise gone
        return None

    def of(self, owner: Owner) -> OpenShard:
        """Return the store of an owner.

        Raises:
            StoreUnavailable: if it is gone, or not known yet.
        """
        if owner not in self._pins:
            raise StoreUnavailable("it is not known yet in which store the owner's flows are")
        return self._asked(self._pins[owner])

    def _asked(self, shard: Shard) -> OpenShard:
        found = shard.open
        if not shard.is_never_waited_for and get_ident() == self._loop:
            found.store.never_wait_here()
            shard.is_never_waited_for = True
        return found

    def never_wait_here(self) -> None:
        """Have reads of this thread raise `StoreBusy`, as a store does."""
        self._loop = get_ident()

    def submit(self, item: Submission, done: Callable[[Outcome | Exception], None]) -> None:
        """Have a command carried out by who writes to the store of its owner; else say why not."""
        try:
            self.of(item.owner).writer.submit(item, done)
        except StoreUnavailable as error:
            done(error)

    def follow(self, settings: Settings) -> None:
        """Have the jobs of the further stores follow other settings."""
        with self._lock:
            self.settings = settings
            for shard in self._shards:
                if shard.jobs is not None:
                    shard.jobs.follow(settings.of_shard(shard.config))

    @property
    def each(self) -> Sequence[Shard]:
        """Return all stores, the first of them first."""
        return self._shards

    def not_signing(self) -> Sequence[str]:
        """Return the names of the further stores whose checkpoints cannot be signed."""
        return [shard.name for shard in self._shards if shard.jobs and not shard.jobs.signs]

    def look(self) -> None:
        """Open what is not open, and find the stores of the owners that have none yet."""
        with self._lock:
            for shard in self._shards:
                if shard.current is None:
                    self._open(shard)
            faults = [fault for owner in self._wanted if (fault := self._why_not_pinned(owner))]
        for fault in faults:
            raise fault
        self._is_failing = False

    def _why_not_pinned(self, owner: Owner) -> StoreUnavailable | None:
        try:
            self._pin(owner)
        except StoreUnavailable as error:
            return error
        return None

    def _log(self, error: Exception) -> None:
        if not self._is_failing:
            log_failure("shards failed", {}, error)
        self._is_failing = True

    def _check_names(self) -> None:
        known = {shard.name for shard in self._shards}
        if missing := sorted(owners_of_shards(self.first.store).keys() - known):
            raise cli.CommandError(
                f"taskflow.store.shards: owners are pinned to {', '.join(missing)},"
                " which is none of them: a shard keeps its name, and is not taken out"
            )

    def _open(self, shard: Shard) -> None:
        settings = self.settings.of_shard(shard.config)
        with ExitStack() as stack:
            try:
                self._refuse_missing(shard)
                store = stack.enter_context(opened(self.open_store, settings.store.url))
                self._refuse_exchanged(shard, store)
            except (cli.CommandError, StoreUnavailable) as error:
                if shard.fault != str(error):
                    log_fault(LOG, "shard gone", {"shard": shard.name, "reason": str(error)})
                shard.fault = str(error)
                return
            writer = stack.enter_context(writing(store, self.metrics.of_store(shard.name)))
            shard.jobs = stack.enter_context(
                doing_jobs(
                    settings,
                    store,
                    writer.do_all,
                    is_listening=self.is_listening,
                    verifiers=signing_of(settings).verifiers,
                )
            )
            shard.current, shard.held = OpenShard(store, writer), stack.pop_all()
        log_milestone(LOG, "shard open", {"shard": shard.name})

    def _refuse_missing(self, shard: Shard) -> None:
        """Refuse to make the file of a shard that has owners: it is elsewhere."""
        path = shard.config.url.path
        if path is None or path.exists():
            return
        if owners_of_shards(self.first.store).get(shard.name):
            raise cli.CommandError(f"{path}: no such file, and owners are pinned to it")

    def _refuse_exchanged(self, shard: Shard, store: EventSourcedStore) -> None:
        """Refuse the store of another name: owners would find nothing, and begin anew."""
        for other in self._shards:
            if other.current is not None and is_same_store(store, other.current.store):
                raise cli.CommandError(f"its store is that of {other.name}: give it another URL")
        for owner in some_owners(store):
            name = pinned_shard(self.first.store, owner)
            if name not in {None, shard.name}:
                raise cli.CommandError(
                    f"its store has flows of owners that are pinned to {name}: exchange their URLs"
                )

    def _pin(self, owner: Owner) -> None:
        if owner in self._pins:
            return
        name = pinned_shard(self.first.store, owner)
        if name is None:
            name = pin_to_shard(self.first.store, owner, self._choose(owner))
        shard = next((shard for shard in self._shards if shard.name == name), None)
        if shard is None:
            raise StoreUnavailable(f"an owner is pinned to shard {name}, which is not configured")
        self._pins[owner] = shard

    def _choose(self, owner: Owner) -> str:
        """Return the shard that has flows of an owner already, or else that with fewest owners.

        Raises:
            StoreUnavailable: if one of them is gone, which may have some.
        """
        having = [shard.name for shard in self._shards if has_flows_of(shard.open.store, owner)]
        if len(having) > 1:
            raise StoreUnavailable(f"an owner has flows in the shards {' and '.join(having)}")
        if having:
            return having[0]
        owners = owners_of_shards(self.first.store)
        taking = [shard.name for shard in self._shards if not shard.config.closed]
        return min(taking, key=lambda name: owners.get(name, 0))

    def _do_all(self, owner: Owner, items: Sequence[Submission]) -> Sequence[Outcome | Exception]:
        return self.of(owner).writer.do_all(items)


@frozen
class _StoreOfOwner:
    """The store of one owner, found anew for each of its methods: it may be gone or come back."""

    shards: Shards
    owner: Owner

    def __getattr__(self, name: str) -> object:
        return getattr(self.shards.of(self.owner).store, name)
