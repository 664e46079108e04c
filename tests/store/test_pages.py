"""An owner's flows in pages, newest first by order of creation; nothing of other owners."""

from __future__ import annotations

from contextlib import closing

import orjson
import pytest

from adapters.store import EventSourcedStore, StoreAuditLog, open_for_writing
from domain.application.outcomes import UnknownCursor
from domain.application.ports import itself
from domain.application.sessions import OwnerSession
from domain.flow.commands import CancelFlow, CreateFlow, FinishFlow
from domain.flow.ids import FlowId, Owner
from domain.flow.status import FlowStatus
from domain.flow.values import Json
from tests.store.commits import commit, created, save
from tests.store.kinds import ON_SQLITE
from tests.store.service import ORIGIN, OWNER, STRANGER, create, run, service, session, shown
from tests.store.tables import delete_caches


def _goals(owner: OwnerSession, *, limit: int, status: FlowStatus | None = None) -> list[list[str]]:
    """Return the goals of an owner's flows, page after page."""
    pages: list[list[str]] = []
    cursor: FlowId | None = None
    for _ in range(10):
        page = owner.page(limit=limit, cursor=cursor, status=status)
        pages.append([flow.goal for flow in page.flows])
        cursor = page.next_cursor
        if cursor is None:
            return pages
    pytest.fail(f"the pages have no end: {pages}")


def test_flows_of_one_millisecond_are_listed_newest_first(store: EventSourcedStore) -> None:
    owner = session(store)
    for number in range(5):
        create(owner, goal=str(number))
    assert _goals(owner, limit=1000) == [["4", "3", "2", "1", "0"]]
    latest = owner.find_latest()
    assert latest is not None
    assert latest.goal == "4"


def test_a_page_has_a_cursor_only_if_there_is_more(store: EventSourcedStore) -> None:
    owner = session(store)
    assert _goals(owner, limit=2) == [[]]
    for number in range(4):
        create(owner, goal=str(number))
    assert _goals(owner, limit=1) == [["3"], ["2"], ["1"], ["0"]]
    assert _goals(owner, limit=2) == [["3", "2"], ["1", "0"]]
    assert _goals(owner, limit=3) == [["3", "2", "1"], ["0"]]
    assert _goals(owner, limit=4) == [["3", "2", "1", "0"]]


def test_a_cursor_stays_where_it_is_when_flows_are_added_or_changed(
    store: EventSourcedStore,
) -> None:
    owner = session(store)
    flows = [create(owner, goal=str(number)) for number in range(4)]
    cursor = owner.page(limit=2).next_cursor
    create(owner, goal="new")
    owner.execute(FinishFlow(flow_id=flows[0].flow_id, expected_revision=0), ORIGIN)
    assert [f.goal for f in owner.page(limit=9, cursor=cursor).flows] == ["1", "0"]


def test_a_cursor_is_a_flow_of_the_owners_and_no_number(store: EventSourcedStore) -> None:
    flows = service(store)
    owner, stranger = flows.bind_session(OWNER), flows.bind_session(STRANGER)
    mine = [create(owner).flow_id for _ in range(3)]
    theirs = create(stranger).flow_id
    assert owner.page(limit=2).next_cursor == mine[1]
    for unknown in (theirs, "none", "", "1", "MQ", mine[1].upper() + " "):
        with pytest.raises(UnknownCursor):
            owner.page(limit=2, cursor=FlowId(unknown))
    assert owner.page(limit=2, cursor=mine[0]).flows == []


def test_a_change_moves_no_flow_in_the_list(store: EventSourcedStore) -> None:
    owner = session(store)
    first, second = create(owner, goal="first"), create(owner, goal="second")
    shown(owner.execute(FinishFlow(flow_id=first.flow_id, expected_revision=0), ORIGIN))
    assert _goals(owner, limit=9) == [["second", "first"]]
    latest = owner.find_latest()
    assert latest is not None
    assert latest.flow_id == second.flow_id


def test_the_order_of_creation_outlives_the_process(file_url: str) -> None:
    with closing(open_for_writing(file_url)) as store:
        for number in range(3):
            create(session(store, prefix=f"z{9 - number}"), goal=str(number))
    with closing(open_for_writing(file_url)) as store:
        owner = session(store, prefix="a")
        create(owner, goal="3")
        assert _goals(owner, limit=2) == [["3", "2"], ["1", "0"]]


def test_a_status_selects_and_pages_among_what_it_selects(store: EventSourcedStore) -> None:
    owner = session(store)
    flows = [create(owner, goal=str(number)) for number in range(6)]
    for flow in flows[::2]:
        owner.execute(CancelFlow(flow_id=flow.flow_id), ORIGIN)
    assert _goals(owner, limit=2, status=FlowStatus.CANCELLED) == [["4", "2"], ["0"]]
    assert _goals(owner, limit=2, status=FlowStatus.QUEUED) == [["5", "3"], ["1"]]
    assert _goals(owner, limit=2, status=FlowStatus.FAILED) == [[]]


def test_a_page_shows_flows_as_they_are_with_or_without_their_snapshots(
    store: EventSourcedStore,
) -> None:
    owner = session(store)
    flow = create(owner)
    owner.execute(run(flow.flow_id), ORIGIN)
    shown(owner.execute(CancelFlow(flow_id=flow.flow_id), ORIGIN))
    page = owner.page(limit=5)
    assert page.flows == [owner.find(flow.flow_id)]
    delete_caches(store)
    assert owner.page(limit=5) == page


def test_a_page_of_json_ends_where_there_is_no_room_and_its_rest_follows(
    store: EventSourcedStore,
) -> None:
    owner = session(store)
    for number in range(5):
        create(owner, goal=str(number))
    seen: list[str] = []

    def add(text: bytes) -> bool:
        seen.append(orjson.loads(text)["goal"])
        return len(seen) < 3

    cursor = owner.page_json(add, limit=5)
    assert seen == ["4", "3", "2"]  # the last of them has no room
    seen.clear()
    assert owner.page_json(add, limit=2, cursor=cursor) is not None
    assert seen == ["2", "1"]


def test_an_auditor_sees_pages_of_outlines(store: EventSourcedStore) -> None:
    owner = session(store)
    creation = CreateFlow(goal="g", controller_id="c", state_json=Json('"large"'))
    flow = shown(owner.execute(creation, ORIGIN))
    owner.execute(run(flow.flow_id), ORIGIN)
    page = StoreAuditLog(store).page(None, limit=5, before=None, status=None)
    assert [(each.flow_id, each.state_json, each.tasks) for each in page.flows] == [
        (flow.flow_id, None, ())
    ]


def test_an_owner_sees_nothing_of_another(store: EventSourcedStore) -> None:
    flows = service(store)
    owner, stranger = flows.bind_session(OWNER), flows.bind_session(STRANGER)
    mine, theirs = create(owner, goal="mine"), create(stranger, goal="theirs")
    assert _goals(owner, limit=9) == [["mine"]]
    assert _goals(stranger, limit=9) == [["theirs"]]
    assert owner.find(theirs.flow_id) is None
    assert owner.summarize_tasks(theirs.flow_id) is None
    assert owner.find_latest() == mine
    assert owner.resolve(STRANGER) is None
    assert owner.resolve(OWNER) == mine
    cancel = CancelFlow(flow_id=theirs.flow_id)
    assert owner.execute(cancel, ORIGIN) == owner.execute(
        CancelFlow(flow_id=FlowId("none")), ORIGIN
    )
    assert [record.version for record in store.history(theirs.flow_id)] == [1]


@ON_SQLITE
def test_owners_are_compared_to_the_byte(store: EventSourcedStore) -> None:
    names = ["a", "A", "a ", "á", "a\u0301", "a\0", "a\0b", "%", "_", "", "' OR 1=1 --"]
    for number, name in enumerate(names):
        save(store, commit(None, created(FlowId(f"flow-{number}"), Owner(name))))
    for number, name in enumerate(names):
        assert store.owner_of(FlowId(f"flow-{number}")) == name
        assert [other for other in names if store.find(Owner(other), FlowId(f"flow-{number}"))] == [
            name
        ]
        page = store.page(Owner(name), limit=99, before=None, status=None, show=itself)
        assert [flow.flow_id for flow in page.flows] == [f"flow-{number}"]


def test_a_flow_that_is_not_there_has_no_owner(store: EventSourcedStore) -> None:
    assert store.owner_of(FlowId("flow-1")) is None
    assert store.find(OWNER, FlowId("flow-1")) is None
    assert store.latest(OWNER) is None


def test_an_operator_lists_the_flows_of_all_owners(store: EventSourcedStore) -> None:
    save(store, commit(None, created(FlowId("flow-1"), OWNER)))
    save(store, commit(None, created(FlowId("flow-2"), STRANGER)))
    save(store, commit(None, created(FlowId("flow-3"), OWNER)))
    first = store.page(None, limit=2, before=None, status=None, show=itself)
    rest = store.page(
        None, limit=2, before=first.next_cursor, status=FlowStatus.QUEUED, show=itself
    )
    assert [flow.flow_id for flow in first.flows] == ["flow-3", "flow-2"]
    assert [flow.flow_id for flow in rest.flows] == ["flow-1"]
    assert rest.next_cursor is None
