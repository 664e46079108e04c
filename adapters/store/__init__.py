"""The durable store: the only room that imports eventsourcing."""

from adapters.store.backup import back_up
from adapters.store.codec import Undecodable
from adapters.store.configurations import read_configurations, record_configuration
from adapters.store.faults import CustodyLost, StoreFault
from adapters.store.holder import LockHolder, lock_holder
from adapters.store.location import store_files
from adapters.store.lock import LockPatience
from adapters.store.opening import migrate, open_existing, open_for_reading, open_for_writing
from adapters.store.owner_shards import (
    has_flows_of,
    is_same_store,
    owners_of_shards,
    pin_to_shard,
    pinned_shard,
    some_owners,
)
from adapters.store.rebuild import rebuild
from adapters.store.refusals.log import RefusalsLost, recording_refusals
from adapters.store.refusals.reading import StoredRefusals, read_refusals
from adapters.store.restore import Restore, check_source, restoring
from adapters.store.store import EventSourcedStore
from adapters.store.store_copy import CopiedStore, copy_store
from adapters.store.stored_audit_log import StoreAuditLog

__all__ = [
    "CopiedStore",
    "CustodyLost",
    "EventSourcedStore",
    "LockHolder",
    "LockPatience",
    "RefusalsLost",
    "Restore",
    "StoreAuditLog",
    "StoreFault",
    "StoredRefusals",
    "Undecodable",
    "back_up",
    "check_source",
    "copy_store",
    "has_flows_of",
    "is_same_store",
    "lock_holder",
    "migrate",
    "open_existing",
    "open_for_reading",
    "open_for_writing",
    "owners_of_shards",
    "pin_to_shard",
    "pinned_shard",
    "read_configurations",
    "read_refusals",
    "rebuild",
    "record_configuration",
    "recording_refusals",
    "restoring",
    "some_owners",
    "store_files",
]
