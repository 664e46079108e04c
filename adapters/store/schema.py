"""The tables that stand beside the library's own, derived from the events.

`flow_index` finds an owner's flows, newest first by order of creation; `position` is the
notification id of the creation. `request_keys` holds what an idempotency key stands for; the row
of a command that was accepted without an event is the one that follows from none.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Final

APPLICATION_ID: Final = 0x54464C57
"""`PRAGMA application_id` of our files: the letters TFLW."""

SCHEMA_VERSION: Final = 1
"""`PRAGMA user_version` of our files; it counts the changes of tables and of snapshots."""

TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS flow_index (
        flow_id TEXT PRIMARY KEY,
        owner TEXT NOT NULL,
        position INTEGER NOT NULL,
        status TEXT NOT NULL,
        silent_since INTEGER
    ) WITHOUT ROWID""",
    "CREATE UNIQUE INDEX IF NOT EXISTS flow_index_owner ON flow_index (owner, position)",
    """CREATE INDEX IF NOT EXISTS flow_index_owner_status
        ON flow_index (owner, status, position)""",
    """CREATE INDEX IF NOT EXISTS flow_index_silent
        ON flow_index (silent_since) WHERE silent_since IS NOT NULL""",
    """CREATE TABLE IF NOT EXISTS request_keys (
        route_id TEXT NOT NULL,
        key TEXT NOT NULL,
        request_hash TEXT NOT NULL,
        flow_id TEXT NOT NULL,
        version INTEGER NOT NULL,
        task_id TEXT,
        PRIMARY KEY (route_id, key)
    ) WITHOUT ROWID""",
)

INSERT_INDEX: Final = "INSERT INTO flow_index VALUES (?,?,?,?,?)"
UPDATE_INDEX: Final = "UPDATE flow_index SET status=?, silent_since=? WHERE flow_id=?"
INSERT_SNAPSHOT: Final = "INSERT INTO stored_snapshots VALUES (?,?,?,?)"
DELETE_SNAPSHOT: Final = "DELETE FROM stored_snapshots WHERE originator_id=?"
INSERT_KEY: Final = "INSERT INTO request_keys VALUES (?,?,?,?,?,?)"

SELECT_SNAPSHOT: Final = (
    "SELECT originator_version, state FROM stored_snapshots WHERE originator_id=?"
)
SELECT_OWNED: Final = "SELECT 1 FROM flow_index WHERE flow_id=? AND owner=?"
SELECT_OWNER: Final = "SELECT owner FROM flow_index WHERE flow_id=?"
SELECT_SILENT: Final = (
    "SELECT owner, flow_id FROM flow_index WHERE silent_since <= ? ORDER BY silent_since LIMIT ?"
)
SELECT_AHEAD: Final = (
    "SELECT owner, flow_id FROM flow_index WHERE silent_since > ? ORDER BY silent_since LIMIT ?"
)
SELECT_KEY: Final = (
    "SELECT request_hash, flow_id, version, task_id FROM request_keys WHERE route_id=? AND key=?"
)
SELECT_POSITION: Final = "SELECT position FROM flow_index WHERE flow_id=? AND owner=?"

index_columns: Final = attrgetter("owner", "position", "status", "silent_since")
"""Returns the columns of an `IndexRow`, behind the id of its flow."""

key_columns: Final = attrgetter("route_id", "key", "request_hash", "flow_id", "version", "task_id")
"""Returns the columns of a `RequestKeyRow`."""

snapshot_columns: Final = attrgetter("originator_id", "originator_version", "topic", "state")
"""Returns the columns of a snapshot, which the library calls a stored event."""
