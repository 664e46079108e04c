"""Whoever is first to end a wait has ended it, in every order of three writers' steps."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, Final, cast

import pytest
from attrs import define

from adapters.store import EventSourcedStore, open_for_writing
from domain.application.batch import Submission, carry_out
from domain.application.outcomes import Accepted, Outcome, Rejected
from domain.application.ports import FlowRef, KeyRef, Loaded
from domain.application.recorded_events import CommandMetadata
from domain.flow.commands import CancelFlow, ExpireWait, FlowCommand, FollowLink, ResumeFlow
from domain.flow.evolve import fold
from domain.flow.ids import FlowId
from domain.flow.state import Flow, is_waiting
from domain.flow.status import OnTimeout
from tests.store.service import ORIGIN
from tests.store.waits import BY_LINK, BY_TIME, DUE, LINK, World


@define
class LoadedBefore:
    """A store as a writer sees it that has loaded its flow a while ago, and writes now."""

    store: EventSourcedStore
    earlier: Loaded | None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a store has
        return getattr(self.store, name)

    def load_many(
        self, wanted: Mapping[FlowRef, Sequence[FlowCommand]], keys: Collection[KeyRef]
    ) -> Loaded:
        earlier, self.earlier = self.earlier, None
        return self.store.load_many(wanted, keys) if earlier is None else earlier


@define
class Writer:
    """One of several that want the same flow: first it loads, then it decides and writes."""

    store: EventSourcedStore
    submission: Submission
    loaded: Loaded | None = None
    outcome: Outcome | None = None

    def step(self) -> None:
        if self.loaded is None:
            command = cast("FlowCommand", self.submission.context.command)
            ref = (self.submission.owner, command.flow_id)
            self.loaded = self.store.load_many({ref: [command]}, [])
            return
        store = cast("EventSourcedStore", LoadedBefore(self.store, self.loaded))
        (outcome,) = carry_out(store, [self.submission])
        assert not isinstance(outcome, Exception), outcome
        self.outcome = outcome


ORDERS: Final = sorted(set(itertools.permutations("aaeecc")))
"""Of arrive, expire and cancel, each in two steps: to load, and to decide and write."""

Handles = tuple[EventSourcedStore, EventSourcedStore, EventSourcedStore]
Make = Callable[[FlowId], FlowCommand]
ARRIVE: Final[Mapping[str, tuple[Make, CommandMetadata]]] = {
    "resume": (lambda flow_id: ResumeFlow(flow_id=flow_id, expected_revision=1), ORIGIN),
    "link": (lambda flow_id: FollowLink(flow_id=flow_id, link_hash=LINK), BY_LINK),
}


def writers(world: World, handles: Handles, flow_id: FlowId, arrive: str) -> dict[str, Writer]:
    command, origin = ARRIVE[arrive]
    commands = {
        "a": (command(flow_id), origin),
        "e": (ExpireWait(flow_id=flow_id, until=DUE), BY_TIME),
        "c": (CancelFlow(flow_id=flow_id), ORIGIN),
    }
    return {
        name: Writer(store, world.session.submission(*each))
        for store, (name, each) in zip(handles, commands.items(), strict=True)
    }


def ends_of_waits(world: World, flow_id: FlowId) -> Iterator[str]:
    """Give the events with which a flow stopped waiting."""
    flow: Flow | None = None
    for record in world.store.history(flow_id):
        after = fold(flow, [record.event])
        if flow is not None and after is not None and is_waiting(flow) and not is_waiting(after):
            yield type(record.event).__name__
        flow = after


@pytest.fixture
def one_handle(file_store: EventSourcedStore) -> Handles:
    """A store in a file, which has one writer."""
    return (file_store,) * 3


@pytest.fixture
def three_handles(postgres_url: str) -> Iterator[Handles]:
    """A store on a server, as each of three gateways has it."""
    with (
        closing(open_for_writing(postgres_url)) as one,
        closing(open_for_writing(postgres_url)) as two,
        closing(open_for_writing(postgres_url)) as three,
    ):
        yield one, two, three


@pytest.fixture(params=["one_handle", "three_handles"])
def handles(request: pytest.FixtureRequest) -> Handles:
    """A new store of either kind that is kept, as three writers have it."""
    found: Handles = request.getfixturevalue(request.param)
    return found


def test_there_are_ninety_orders() -> None:
    assert len(ORDERS) == 90


@pytest.mark.parametrize("arrive", ARRIVE)
@pytest.mark.parametrize("on_timeout", OnTimeout)
def test_whoever_is_first_ends_the_wait_and_the_others_are_refused(
    handles: Handles, arrive: str, on_timeout: OnTimeout
) -> None:
    world = World(handles[0])
    for order in ORDERS:
        world.clock.now = DUE - 1
        flow_id = world.waiting(until=DUE, on_timeout=on_timeout, link_hash=LINK)
        world.clock.now = DUE
        each = writers(world, handles, flow_id, arrive)
        for name in order:
            each[name].step()
        (end,) = ends_of_waits(world, flow_id)
        arrived, expired, cancelled = (each[name].outcome for name in "aec")
        assert isinstance(arrived, Accepted) == (end in {"FlowResumed", "FlowResumedByLink"}), order
        assert isinstance(expired, Accepted) == (end == "FlowWaitExpired"), order
        failed = end == "FlowWaitExpired" and on_timeout is OnTimeout.FAIL
        assert isinstance(cancelled, Rejected) == failed, order
        lost = "revision_conflict" if arrive == "resume" else "wait_over"
        for outcome, code in ((arrived, lost), (expired, "wait_over"), (cancelled, "terminal")):
            if isinstance(outcome, Rejected):
                assert (outcome.code, outcome.flow is not None) == (code, True), order
