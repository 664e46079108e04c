"""The tables that stand beside the library's own, derived from the events.

`flow_index` finds an owner's flows, newest first by order of creation; `position` is the
notification id of the creation. `request_keys` holds what an idempotency key stands for; the row
of a command that was accepted without an event is the one that follows from none. `past_flows`
holds the flow of its answer. `flow_views`
holds what callers are shown of a flow, at the position of its creation; `view_format` says of which
format all its rows are, once they are. `flow_names` has the live flow that a correlation key names,
and `flow_filters` what an owner's list may be filtered by, at the position of a flow's creation.
`flow_waits` has the flows whose wait ends by itself, and `resume_links` what each link that was
made is for. `owner_shards` follows from no event: see there.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Final

APPLICATION_ID: Final = 0x54464C57
"""`PRAGMA application_id` of our files: the letters TFLW."""

SCHEMA_VERSION: Final = 2
"""`PRAGMA user_version` of our files; it counts the changes of tables and of snapshots."""

ROWS_FORMAT: Final = 4
"""Counts the changes of the rows that are derived from events, but for what callers are shown."""

READABLE: Final = (1, SCHEMA_VERSION)
"""The versions that are read; whoever writes brings an older one to the present one first."""

TABLES: Final = (
    # PERF: the library's own table is in the order of its key, and new rows go to random places.
    """CREATE TABLE IF NOT EXISTS stored_snapshots (
        originator_id TEXT PRIMARY KEY,
        originator_version INTEGER,
        topic TEXT,
        state BLOB
    )""",
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
    # PERF: rows may be as large as a body, and an owner's list reads them in the order of creation.
    """CREATE TABLE IF NOT EXISTS flow_views (
        position INTEGER PRIMARY KEY,
        flow_id TEXT NOT NULL,
        owner TEXT NOT NULL,
        version INTEGER NOT NULL,
        checksum INTEGER NOT NULL,
        json BLOB NOT NULL
    )""",
    """CREATE TABLE IF NOT EXISTS flow_tasks (
        flow_id TEXT NOT NULL,
        number INTEGER NOT NULL,
        task_id TEXT NOT NULL,
        run_id TEXT,
        stale_since INTEGER,
        checksum INTEGER NOT NULL,
        state BLOB NOT NULL,
        PRIMARY KEY (flow_id, number)
    )""",
    "CREATE INDEX IF NOT EXISTS flow_tasks_id ON flow_tasks (flow_id, task_id)",
    """CREATE INDEX IF NOT EXISTS flow_tasks_run
        ON flow_tasks (flow_id, run_id) WHERE run_id IS NOT NULL""",
    """CREATE INDEX IF NOT EXISTS flow_tasks_stale
        ON flow_tasks (flow_id, stale_since) WHERE stale_since IS NOT NULL""",
    # A snapshot whose tasks are not all there any more must not be used.
    """CREATE TRIGGER IF NOT EXISTS flow_tasks_deleted AFTER DELETE ON flow_tasks BEGIN
        DELETE FROM stored_snapshots WHERE originator_id=OLD.flow_id;
    END""",
    """CREATE TRIGGER IF NOT EXISTS flow_tasks_moved
        AFTER UPDATE OF flow_id, number, task_id, run_id ON flow_tasks BEGIN
        DELETE FROM stored_snapshots WHERE originator_id IN (OLD.flow_id, NEW.flow_id);
    END""",
    """CREATE TABLE IF NOT EXISTS flow_values (
        flow_id TEXT NOT NULL,
        name TEXT NOT NULL,
        checksum INTEGER NOT NULL,
        json BLOB NOT NULL,
        PRIMARY KEY (flow_id, name)
    )""",
    """CREATE TABLE IF NOT EXISTS flow_names (
        owner TEXT NOT NULL,
        correlation_key TEXT NOT NULL,
        flow_id TEXT NOT NULL,
        PRIMARY KEY (owner, correlation_key)
    ) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS flow_names_flow ON flow_names (flow_id)",
    # NOTE: each index ends with the position, which is the rowid.
    """CREATE TABLE IF NOT EXISTS flow_filters (
        position INTEGER PRIMARY KEY,
        flow_id TEXT NOT NULL,
        owner TEXT NOT NULL,
        status TEXT NOT NULL,
        controller_id TEXT NOT NULL,
        current_step TEXT,
        correlation_key TEXT,
        updated_at INTEGER NOT NULL
    )""",
    """CREATE INDEX IF NOT EXISTS flow_filters_controller
        ON flow_filters (owner, controller_id)""",
    """CREATE INDEX IF NOT EXISTS flow_filters_step
        ON flow_filters (owner, current_step) WHERE current_step IS NOT NULL""",
    """CREATE INDEX IF NOT EXISTS flow_filters_key
        ON flow_filters (owner, correlation_key) WHERE correlation_key IS NOT NULL""",
    "CREATE INDEX IF NOT EXISTS flow_filters_updated ON flow_filters (owner, updated_at)",
    """CREATE TABLE IF NOT EXISTS flow_waits (
        flow_id TEXT PRIMARY KEY,
        until INTEGER NOT NULL
    ) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS flow_waits_until ON flow_waits (until, flow_id)",
    """CREATE TABLE IF NOT EXISTS resume_links (
        link_hash TEXT NOT NULL,
        flow_id TEXT NOT NULL,
        route_id TEXT NOT NULL,
        key_id TEXT NOT NULL,
        PRIMARY KEY (link_hash, flow_id)
    ) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS resume_links_flow ON resume_links (flow_id)",
    """CREATE TABLE IF NOT EXISTS past_flows (
        flow_id TEXT NOT NULL,
        version INTEGER NOT NULL,
        task_id TEXT NOT NULL,
        checksum INTEGER NOT NULL,
        state BLOB NOT NULL,
        PRIMARY KEY (flow_id, version, task_id)
    )""",
    "CREATE TABLE IF NOT EXISTS view_format (format INTEGER PRIMARY KEY)",
    """CREATE TABLE IF NOT EXISTS owner_shards (
        owner TEXT PRIMARY KEY,
        shard TEXT NOT NULL
    ) WITHOUT ROWID""",
)

INSERT_EVENT: Final = "INSERT INTO stored_events VALUES (?,?,?,?)"
INSERT_INDEX: Final = "INSERT INTO flow_index VALUES (?,?,?,?,?)"
UPDATE_INDEX: Final = (
    "UPDATE flow_index SET status=?1, silent_since=CASE WHEN ?2 THEN"
    " (SELECT min(stale_since) FROM flow_tasks WHERE flow_id=?3 AND stale_since IS NOT NULL) END"
    " WHERE flow_id=?3"
)
UPDATE_INDEX_ROWS: Final = (
    "UPDATE flow_index SET status=w.column1, silent_since=CASE WHEN w.column2 THEN"
    " (SELECT min(stale_since) FROM flow_tasks AS t"
    " WHERE t.flow_id=w.column3 AND stale_since IS NOT NULL) END"
    " FROM (VALUES (?,?,?)) AS w WHERE flow_index.flow_id=w.column3"
)
INSERT_SNAPSHOT: Final = "INSERT INTO stored_snapshots VALUES (?,?,?,?)"
DELETE_SNAPSHOT: Final = "DELETE FROM stored_snapshots WHERE originator_id=?"
UPDATE_SNAPSHOTS: Final = (
    "UPDATE stored_snapshots SET originator_version=w.column2, topic=w.column3, state=w.column4"
    " FROM (VALUES (?,?,?,?)) AS w WHERE stored_snapshots.originator_id=w.column1"
    " RETURNING originator_id"
)
INSERT_KEY: Final = "INSERT INTO request_keys VALUES (?,?,?,?,?,?)"
INSERT_NAME: Final = "INSERT INTO flow_names VALUES (?,?,?)"
PUT_NAME: Final = "INSERT OR REPLACE INTO flow_names VALUES (?,?,?)"
DELETE_NAME: Final = "DELETE FROM flow_names WHERE owner=? AND correlation_key=? AND flow_id=?"
SELECT_NAMED: Final = "SELECT flow_id FROM flow_names WHERE owner=? AND correlation_key=?"
PUT_FILTERS: Final = "INSERT OR REPLACE INTO flow_filters VALUES (?,?,?,?,?,?,?,?)"
UPDATE_FILTERS: Final = (
    "UPDATE flow_filters SET status=w.column2, current_step=w.column3, updated_at=w.column4"
    # PERF: of a join with the index SQLite reads all filters.
    " FROM (VALUES (?,?,?,?)) AS w WHERE flow_filters.flow_id=w.column1 AND flow_filters.position="
    "(SELECT position FROM flow_index AS i WHERE i.flow_id=w.column1)"
)
DELETE_WAIT: Final = "DELETE FROM flow_waits WHERE flow_id IN (VALUES (?))"
PUT_WAIT: Final = "INSERT OR REPLACE INTO flow_waits VALUES (?,?)"
PUT_LINK: Final = "INSERT OR REPLACE INTO resume_links VALUES (?,?,?,?)"
PUT_VIEW: Final = (
    "INSERT OR REPLACE INTO flow_views SELECT position,?,?,?,?,? FROM flow_index"
    # NOTE: of a damaged row a position may be no number.
    " WHERE flow_id=? AND typeof(position)='integer'"
)
PUT_VIEW_ROWS: Final = (
    "INSERT OR REPLACE INTO flow_views SELECT i.position, w.* FROM (VALUES (?,?,?,?,?)) AS w"
    " CROSS JOIN flow_index AS i ON i.flow_id=w.column1 AND typeof(i.position)='integer'"
)
INSERT_VIEW: Final = "INSERT OR REPLACE INTO flow_views VALUES (?,?,?,?,?,?)"

HAS_FORMAT: Final = "SELECT 1 FROM sqlite_master WHERE name='view_format'"
TABLE_COLUMNS: Final = (
    "SELECT m.name, c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c"
    " WHERE m.type='table' AND m.name NOT LIKE 'sqlite_%'"
)
SELECT_SNAPSHOT: Final = (
    "SELECT originator_version, state FROM stored_snapshots WHERE originator_id=?"
)
SELECT_FLOWS: Final = (
    "SELECT i.flow_id, i.owner, s.originator_version, s.state,"
    " (SELECT max(originator_version) FROM stored_events WHERE originator_id=i.flow_id) AS latest"
    " FROM (VALUES (?,?)) AS w CROSS JOIN flow_index AS i"
    " ON i.flow_id=w.column1 AND i.owner=w.column2"
    " LEFT JOIN stored_snapshots AS s ON s.originator_id=i.flow_id"
)
SELECT_VERSION: Final = "SELECT max(originator_version) FROM stored_events WHERE originator_id=?"
SELECT_OWNER: Final = "SELECT owner FROM flow_index WHERE flow_id=?"
SELECT_SILENT: Final = (
    "SELECT owner, flow_id FROM flow_index WHERE silent_since <= ? ORDER BY silent_since LIMIT ?"
)
SELECT_AHEAD: Final = (
    "SELECT owner, flow_id FROM flow_index WHERE silent_since > ? ORDER BY silent_since LIMIT ?"
)
SELECT_DUE: Final = (
    "SELECT owner, flow_id, until FROM flow_waits JOIN flow_index USING (flow_id)"
    " WHERE until <= ? AND (until, flow_id) > (?, ?) ORDER BY until, flow_id LIMIT ?"
)
SELECT_LINK: Final = (
    "SELECT owner, flow_id, route_id, key_id FROM resume_links JOIN flow_index USING (flow_id)"
    " WHERE link_hash=? LIMIT 1"
)
SELECT_KEYS: Final = (
    "SELECT k.route_id, k.key, k.request_hash, k.flow_id, k.version, k.task_id, p.checksum, p.state"
    " FROM (VALUES (?,?)) AS w CROSS JOIN request_keys AS k"
    " ON k.route_id=w.column1 AND k.key=w.column2 LEFT JOIN past_flows AS p"
    " ON p.flow_id=k.flow_id AND p.version=k.version AND p.task_id=coalesce(k.task_id, '')"
)
_VIEWED: Final = (
    "SELECT i.flow_id, i.position, v.version, v.checksum, v.json{} FROM flow_index AS i"
    # APPSEC: the index may be wrong, so a row must be of the flow and of the owner it is read for.
    " LEFT JOIN flow_views AS v"
    " ON v.position=i.position AND v.flow_id=i.flow_id AND v.owner=i.owner"
)
LATEST_VERSION: Final = (
    ", (SELECT max(originator_version) FROM stored_events WHERE originator_id=i.flow_id)"
)
_HEAD: Final = (
    "SELECT s.originator_version, s.state{} AS latest FROM flow_index AS i"
    " LEFT JOIN stored_snapshots AS s ON s.originator_id=i.flow_id WHERE i.flow_id=? AND i.owner=?"
)
HEAD: Final = _HEAD.format(LATEST_VERSION)
VIEW_OF: Final = f"{_VIEWED.format(LATEST_VERSION)} WHERE i.flow_id=? AND i.owner=?"
LATEST_VIEW: Final = (
    f"{_VIEWED.format(LATEST_VERSION)} WHERE i.owner=? ORDER BY i.position DESC LIMIT 1"
)
VIEWS: Final = _VIEWED.format("")
FILTERED_VIEWS: Final = VIEWS.replace("flow_index AS i", "flow_filters AS i")
SELECT_POSITION: Final = "SELECT position FROM flow_index WHERE flow_id=? AND owner=?"

index_columns: Final = attrgetter("owner", "position", "status", "silent_since")
"""Returns the columns of an `IndexRow`, behind the id of its flow."""

link_columns: Final = attrgetter("link_hash", "flow_id", "route_id", "key_id")
"""Returns the columns of a `LinkRow`."""

key_columns: Final = attrgetter("route_id", "key", "request_hash", "flow_id", "version", "task_id")
"""Returns the columns of a `RequestKeyRow`."""

snapshot_columns: Final = attrgetter("originator_id", "originator_version", "topic", "state")
"""Returns the columns of an event or a snapshot: the library calls both stored events."""
