"""Which shard an owner is pinned to: the first who writes it decides, for everybody."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from adapters.store import (
    EventSourcedStore,
    has_flows_of,
    owners_of_shards,
    pin_to_shard,
    pinned_shard,
)
from tests.store.service import OWNER, STRANGER, creation, keyed, session


def test_an_owner_that_nobody_pinned_is_in_no_shard(store: EventSourcedStore) -> None:
    assert pinned_shard(store, OWNER) is None
    assert owners_of_shards(store) == {}


def test_an_owner_stays_where_it_was_pinned_first(store: EventSourcedStore) -> None:
    assert pin_to_shard(store, OWNER, "b") == "b"
    assert pin_to_shard(store, OWNER, "c") == "b"
    assert pinned_shard(store, OWNER) == "b"
    assert owners_of_shards(store) == {"b": 1}


def test_all_who_pin_an_owner_at_once_get_the_same_shard(store: EventSourcedStore) -> None:
    names = [f"shard-{number}" for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda name: pin_to_shard(store, OWNER, name), names))
    assert found == {pinned_shard(store, OWNER)}


def test_a_store_knows_whose_flows_it_has(store: EventSourcedStore) -> None:
    assert not has_flows_of(store, OWNER)
    session(store).execute(creation(), keyed("key-1"))
    assert has_flows_of(store, OWNER)
    assert not has_flows_of(store, STRANGER)
