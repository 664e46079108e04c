"""Which owner's flows are in which of several stores, as the first of them has it written.

An owner is pinned once and for all: events cannot leave their log. Of several processes that pin
an owner at the same moment, the first decides for all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from adapters.store.faults import translated
from adapters.store.store import EventSourcedStore
from domain.flow.ids import Owner

_SELECT: Final = "SELECT shard FROM owner_shards WHERE owner=?"
_INSERT: Final = "INSERT INTO owner_shards VALUES (?,?) ON CONFLICT (owner) DO NOTHING"
_COUNT: Final = "SELECT shard, count(*) FROM owner_shards GROUP BY shard"
_HAS_FLOWS: Final = "SELECT 1 FROM flow_index WHERE owner=? LIMIT 1"
_SOME_OWNERS: Final = "SELECT min(owner), max(owner) FROM flow_index"


def pinned_shard(store: EventSourcedStore, owner: Owner) -> str | None:
    """Return the name of the shard that an owner is pinned to, if there is one.

    Raises:
        StoreUnavailable: if the store cannot be read.
    """
    with translated(), store.application.datastore.reading() as cursor:
        cursor.execute(_SELECT, (owner,))
        row = cursor.fetchone()
    return None if row is None else str(row[0])


def pin_to_shard(store: EventSourcedStore, owner: Owner, shard: str) -> str:
    """Pin an owner to a shard unless it is pinned; return the name of that which it is pinned to.

    Raises:
        StoreUnavailable: if the store does not take it.
    """
    with translated(), store.application.datastore.transaction(commit=True) as cursor:
        cursor.execute(_INSERT, (owner, shard))
        cursor.execute(_SELECT, (owner,))
        return str(cursor.fetchone()[0])


def owners_of_shards(store: EventSourcedStore) -> Mapping[str, int]:
    """Return how many owners are pinned to each shard that has any.

    Raises:
        StoreUnavailable: if the store cannot be read.
    """
    with translated(), store.application.datastore.reading() as cursor:
        cursor.execute(_COUNT)
        return {str(shard): int(owners) for shard, owners in cursor.fetchall()}


def has_flows_of(store: EventSourcedStore, owner: Owner) -> bool:
    """Say whether a store has flows of an owner.

    Raises:
        StoreUnavailable: if the store cannot be read.
    """
    with translated(), store.application.datastore.reading() as cursor:
        cursor.execute(_HAS_FLOWS, (owner,))
        return cursor.fetchone() is not None


def some_owners(store: EventSourcedStore) -> Collection[Owner]:
    """Return the first and the last of the owners that have flows in a store.

    Raises:
        StoreUnavailable: if the store cannot be read.
    """
    with translated(), store.application.datastore.reading() as cursor:
        cursor.execute(_SOME_OWNERS)
        return {Owner(owner) for owner in cursor.fetchone() if owner is not None}


def is_same_store(one: EventSourcedStore, other: EventSourcedStore) -> bool:
    """Say whether two are the same store on PostgreSQL; the lock of a file lets nobody in twice."""
    links = one.application.datastore.link, other.application.datastore.link
    return all(links) and len({link.store_id for link in links if link}) == 1
