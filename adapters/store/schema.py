"""The tables that stand beside the library's own, derived from the events.

`flow_index` finds an owner's flows, newest first by order of creation; `position` is the
notification id of the creation. `request_keys` holds what an idempotency key stands for; the row
of a command that was accepted without an event is the one that follows from none.
"""

from __future__ import annotations

from typing import Final

from attrs import frozen

from domain.application.ports import Commit
from domain.flow.ids import FlowId, RouteId, TaskId
from domain.flow.state import Flow, flow_stale_since
from domain.flow.values import Timestamp

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


@frozen
class KeyRow:
    """A row of `request_keys`."""

    route_id: RouteId
    key: str
    request_hash: str
    flow_id: FlowId
    version: int
    task_id: TaskId | None


def index_row(flow: Flow, position: int) -> tuple[str, str, int, str, Timestamp | None]:
    """Return the row of `flow_index` that a flow has."""
    return (flow.flow_id, flow.owner, position, flow.status.value, flow_stale_since(flow))


def key_row(commit: Commit) -> KeyRow | None:
    """Return the row of a commit's request key."""
    key = commit.request_key
    if key is None:
        return None
    flow = commit.flow
    return KeyRow(
        key.route_id, key.key, key.request_hash, flow.flow_id, flow.version, commit.task_id
    )
