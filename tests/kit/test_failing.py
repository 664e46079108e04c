"""A store that fails, loses a race or dies as it is told to, and what the service makes of it."""

from __future__ import annotations

import pytest

from adapters.testing.clock import ControlledClock
from adapters.testing.examples import CREATED, CREATED_FLOW, FLOW, OWNER, THEN
from adapters.testing.failing import Died, FailingStore, Failure, Moment, WriteFault
from adapters.testing.ids import CountedIds
from adapters.testing.memory import MemoryStore
from domain.application.outcomes import Accepted, NotPersisted
from domain.application.ports import Commit, StoreUnavailable, itself
from domain.application.recorded_events import Actor, ActorKind, CommandMetadata, to_recorded_events
from domain.application.sessions import OwnerSession, TaskFlows
from domain.flow.commands import CreateFlow
from domain.flow.ids import FlowId, RequestId, RouteId

CREATE = CreateFlow(goal="g", controller_id="c")
ORIGIN = CommandMetadata(
    actor=Actor(kind=ActorKind.SYSTEM, name="test"), request_id=RequestId("request-1")
)


@pytest.fixture
def inner() -> MemoryStore:
    """The store that is failed for."""
    return MemoryStore()


@pytest.fixture
def store(inner: MemoryStore) -> FailingStore:
    """A store in front of it, which does not fail yet."""
    return FailingStore(inner)


def session(store: FailingStore) -> OwnerSession:
    """Return an owner's session on a store."""
    return TaskFlows(store, ControlledClock(), CountedIds()).bind_session(OWNER)


def created(owner: OwnerSession) -> Accepted:
    """Create a flow, which must be accepted."""
    outcome = owner.execute(CREATE, ORIGIN)
    assert isinstance(outcome, Accepted)
    return outcome


def test_without_a_plan_it_is_the_store_behind_it(store: FailingStore, inner: MemoryStore) -> None:
    flow = created(session(store)).flow
    assert list(inner.streams) == [flow.flow_id]
    assert store.load(flow.flow_id) == inner.load(flow.flow_id) == store.latest(OWNER)
    assert store.page(OWNER, limit=1, before=None, status=None, show=itself).flows == [
        store.latest(OWNER)
    ]
    found = store.load_many({(OWNER, flow.flow_id): []}, [(RouteId("route"), "key")])
    assert found == inner.load_many({(OWNER, flow.flow_id): []}, [])


def test_the_nth_write_fails_and_those_around_it_do_not(
    store: FailingStore, inner: MemoryStore
) -> None:
    store.plan(Failure(WriteFault.UNAVAILABLE, at=2), Failure(WriteFault.UNAVAILABLE, at=4))
    owner = session(store)
    for fails in (False, True, False, True, False):
        if fails:
            with pytest.raises(NotPersisted):
                owner.execute(CREATE, ORIGIN)
        else:
            created(owner)
    assert list(inner.streams) == ["id-1", "id-3", "id-5"]


def test_a_plan_counts_from_when_it_was_made(store: FailingStore) -> None:
    owner = session(store)
    created(owner)
    store.plan(Failure(WriteFault.UNAVAILABLE))
    with pytest.raises(NotPersisted):
        owner.execute(CREATE, ORIGIN)
    store.plan()
    created(owner)


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        (WriteFault.UNAVAILABLE, StoreUnavailable),
        (WriteFault.DEATH, Died),
    ],
)
def test_a_write_fails_before_or_after_it_is_done(
    fault: WriteFault, raised: type[BaseException], moment: Moment
) -> None:
    inner = MemoryStore()
    store = FailingStore(inner)
    records = to_recorded_events((CREATED,), flow_id=FLOW, after=0, origin=ORIGIN, now=THEN)
    store.plan(Failure(fault, moment))
    with pytest.raises(raised):
        store.append_many([Commit(events=records, before=None, flow=CREATED_FLOW)])
    assert (FLOW in inner.streams) is (moment is Moment.AFTER)


def test_a_lost_race_is_run_again_and_nobody_notices(
    store: FailingStore, inner: MemoryStore
) -> None:
    store.plan(Failure(WriteFault.CONFLICT, at=1), Failure(WriteFault.CONFLICT, at=2))
    created(session(store))
    assert len(inner.streams) == 1


def test_after_its_death_nothing_works_but_what_is_behind_it(
    store: FailingStore, inner: MemoryStore
) -> None:
    owner = session(store)
    created(owner)
    store.plan(Failure(WriteFault.DEATH, Moment.AFTER))
    with pytest.raises(Died):
        owner.execute(CREATE, ORIGIN)
    for use in (owner.find_latest, lambda: owner.find(FlowId("id-1")), lambda: owner.page(limit=1)):
        with pytest.raises(Died):
            use()
    assert not isinstance(Died(), Exception)
    assert list(inner.streams) == ["id-1", "id-2"]
    assert session(FailingStore(inner)).find_latest() is not None
