"""Owners that a gateway divides over several stores: who gets a new one, and who is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from attrs import evolve

from adapters.composition.readiness import Readiness
from adapters.composition.shard import OpenShard
from adapters.composition.shards import Shards
from adapters.composition.writer import writing
from adapters.metrics import GatewayMetrics
from adapters.store import open_for_reading, open_for_writing, pin_to_shard, pinned_shard
from domain.application.outcomes import Accepted, Outcome
from domain.application.ports import StoreUnavailable
from domain.flow.ids import Owner
from tests.settings.workbench import loaded, one_route
from tests.store.service import OWNER, STRANGER, creation, keyed, session
from tests.store.waits import LINK, World

NAMES = ("b", "c")


def url(folder: Path, name: str) -> str:
    """Return the URL of a shard's file."""
    return f"sqlite:///{folder / name}.db"


@contextmanager
def serving(folder: Path, *, closed: Sequence[str] = ()) -> Iterator[Shards]:
    """Serve three stores."""
    shards = [{"name": name, "url": url(folder, name), "closed": name in closed} for name in NAMES]
    store = {"url": url(folder, "first"), "closed": "first" in closed, "shards": shards}
    settings = loaded(folder, one_route() | {"taskflow": {"store": store}})
    with ExitStack() as stack:
        first = stack.enter_context(closing(open_for_writing(settings.store.url)))
        writer = stack.enter_context(writing(first))
        served = Shards(settings, OpenShard(first, writer), open_for_writing, GatewayMetrics())
        stack.enter_context(served.serving())
        yield served


def readiness_of(shards: Shards) -> Readiness:
    """Return what says which parts of the gateway are not ready."""
    first = shards.first
    return Readiness(store=first.store, folder=None, writer=first.writer, shards=shards)


def gone(shards: Shards) -> list[str]:
    """Return the names of the stores that are not ready."""
    return [part.removeprefix("shard-") for part in readiness_of(shards)()[1]]


def placed(shards: Shards, owner: Owner) -> str | None:
    """Have an owner placed; return the shard it is pinned to, if that could be decided."""
    shards.bind_session(owner)
    return pinned_shard(shards.first.store, owner)


def test_new_owners_go_where_the_fewest_are(tmp_path: Path) -> None:
    with serving(tmp_path) as shards:
        assert [placed(shards, Owner(f"agent:{number}")) for number in range(4)] == [
            *("first", "b", "c", "first")
        ]
        assert placed(shards, Owner("agent:1")) == "b"


def test_a_closed_store_gets_no_new_owner(tmp_path: Path) -> None:
    with serving(tmp_path, closed=("first", "b")) as shards:
        assert {placed(shards, Owner(f"agent:{number}")) for number in range(4)} == {"c"}


def test_an_owner_stays_with_the_flows_it_has(tmp_path: Path) -> None:
    with closing(open_for_writing(url(tmp_path, "b"))) as store:
        session(store).execute(creation(), keyed("key-1"))
    with serving(tmp_path, closed=("b",)) as shards:
        assert placed(shards, OWNER) == "b"
        assert shards.bind_session(OWNER).find_latest() is not None


def test_an_owner_with_flows_in_two_stores_is_put_into_none(tmp_path: Path) -> None:
    for name in NAMES:
        with closing(open_for_writing(url(tmp_path, name))) as store:
            session(store).execute(creation(), keyed("key-1"))
    with serving(tmp_path) as shards:
        assert placed(shards, OWNER) is None
        with pytest.raises(StoreUnavailable, match="not known yet"):
            shards.bind_session(OWNER).find_latest()
        assert placed(shards, STRANGER) == "first"


def test_a_store_under_the_name_of_another_one_serves_nobody(tmp_path: Path) -> None:
    with serving(tmp_path) as shards:
        pin_to_shard(shards.first.store, OWNER, "b")
        shards.bind_session(OWNER).execute(creation(), keyed("key-1"))
    for old, new in (("b", "x"), ("c", "b"), ("x", "c")):
        (tmp_path / f"{old}.db").rename(tmp_path / f"{new}.db")
    with serving(tmp_path) as shards:
        assert gone(shards) == ["c"]
        assert placed(shards, STRANGER) is None
    (tmp_path / "b.db").rename(tmp_path / "x.db")
    (tmp_path / "c.db").rename(tmp_path / "b.db")
    with serving(tmp_path) as shards:
        assert gone(shards) == []
        assert shards.bind_session(OWNER).find_latest() is not None


def test_a_store_that_cannot_write_is_named_and_takes_no_other_one_with_it(tmp_path: Path) -> None:
    with serving(tmp_path) as shards:
        ready = readiness_of(shards)
        for number, names in enumerate((["first"], ["first", "b"]), start=1):
            shards.each[number - 1].open.writer.stop()
            assert ready() == (True, tuple(f"shard-{name}" for name in names))
        shards.each[2].open.writer.stop()
        assert ready() == (False, ("store", "shard-first", "shard-b", "shard-c"))


def test_a_store_without_room_is_named(tmp_path: Path) -> None:
    with serving(tmp_path) as shards:
        full = evolve(readiness_of(shards), least_free_bytes=1 << 62)
        assert full() == (False, ("store", "shard-first", "shard-b", "shard-c"))


def test_no_owner_is_placed_while_a_store_is_gone_that_may_have_it(tmp_path: Path) -> None:
    (tmp_path / "c.db").write_text("this is no store", encoding="utf-8")
    with serving(tmp_path) as shards:
        assert gone(shards) == ["c"]
        assert placed(shards, OWNER) is None
        (tmp_path / "c.db").unlink()
        shards.look()
        assert gone(shards) == []
        assert pinned_shard(shards.first.store, OWNER) == "first"


def test_no_store_is_made_in_the_place_of_one_that_has_owners(tmp_path: Path) -> None:
    with closing(open_for_writing(url(tmp_path, "first"))) as first:
        pin_to_shard(first, OWNER, "b")
    with serving(tmp_path) as shards:
        assert not (tmp_path / "b.db").exists()
        with pytest.raises(StoreUnavailable, match="shard b is not open"):
            shards.bind_session(OWNER).find_latest()


def test_commands_are_carried_out_in_the_owners_store(tmp_path: Path) -> None:
    answers: list[Outcome | Exception] = []
    with serving(tmp_path, closed=("first", "b")) as shards:
        handle = shards.bind_session(OWNER)
        shards.submit(handle.submission(creation(), keyed("key-1")), answers.append)
        assert isinstance(handle.execute(creation(), keyed("key-2")), Accepted)
    assert isinstance(answers[0], Accepted)
    with closing(open_for_reading(url(tmp_path, "c"))) as store:
        assert len(list(store.log())) == 2


def test_a_command_of_an_owner_whose_store_is_gone_is_answered(tmp_path: Path) -> None:
    answers: list[Outcome | Exception] = []
    (tmp_path / "b.db").write_text("this is no store", encoding="utf-8")
    with serving(tmp_path) as shards:
        handle = shards.bind_session(OWNER)
        shards.submit(handle.submission(creation(), keyed("key-1")), answers.append)
    assert isinstance(answers[0], StoreUnavailable)


def test_a_link_is_found_in_whichever_store_its_flow_is(tmp_path: Path) -> None:
    with closing(open_for_writing(url(tmp_path, "c"))) as store:
        World(store).waiting(link_hash=LINK)
    (tmp_path / "b.db").write_text("this is no store", encoding="utf-8")
    with serving(tmp_path) as shards:
        found = shards.find_link(LINK)
        assert found is not None
        assert found.session.find_latest() is not None
        assert shards.of(found.session.owner).store.find_link(LINK) is not None
        with pytest.raises(StoreUnavailable, match="shard b is not open"):
            shards.find_link("cd" * 32)
