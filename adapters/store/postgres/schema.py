"""The tables of a store on PostgreSQL; `append_batch` is the one function that writes to them.

They are those of `adapters.store.schema`, and of the library for its recorders, under their names
in SQLite. Text is compared byte by byte, as SQLite compares it. `log_head` numbers the events:
without gaps, also after conflicts, and so that no position is seen before a smaller one.
"""

from __future__ import annotations

from typing import Final

MIGRATIONS: Final = (
    # 1
    """
CREATE TABLE store_identity (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    store_id uuid NOT NULL,
    schema_version integer NOT NULL
);
INSERT INTO store_identity (store_id, schema_version) VALUES (gen_random_uuid(), 0);

CREATE TABLE log_head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    position bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO log_head (position) VALUES (0);

CREATE TABLE stored_events (
    originator_id text COLLATE "C" NOT NULL,
    originator_version bigint NOT NULL,
    topic text COLLATE "C" NOT NULL,
    state bytea NOT NULL,
    notification_id bigint NOT NULL,
    batch_id uuid NOT NULL,
    PRIMARY KEY (originator_id, originator_version)
);
CREATE UNIQUE INDEX stored_events_notification_id ON stored_events (notification_id);

CREATE TABLE stored_snapshots (
    originator_id text COLLATE "C" PRIMARY KEY,
    originator_version bigint NOT NULL,
    topic text COLLATE "C" NOT NULL,
    state bytea NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE flow_index (
    flow_id text COLLATE "C" PRIMARY KEY,
    owner text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    status text COLLATE "C" NOT NULL,
    silent_since bigint
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX flow_index_owner ON flow_index (owner, position);
CREATE INDEX flow_index_owner_status ON flow_index (owner, status, position);
CREATE INDEX flow_index_silent ON flow_index (silent_since) WHERE silent_since IS NOT NULL;

CREATE TABLE owner_shards (
    owner text COLLATE "C" PRIMARY KEY,
    shard text COLLATE "C" NOT NULL
);

CREATE TABLE request_keys (
    route_id text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    request_hash text COLLATE "C" NOT NULL,
    flow_id text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    task_id text COLLATE "C",
    PRIMARY KEY (route_id, key)
);

CREATE TABLE flow_views (
    position bigint PRIMARY KEY,
    flow_id text COLLATE "C" NOT NULL,
    owner text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    checksum bigint NOT NULL,
    json bytea NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE flow_tasks (
    flow_id text COLLATE "C" NOT NULL,
    number bigint NOT NULL,
    task_id text COLLATE "C" NOT NULL,
    run_id text COLLATE "C",
    stale_since bigint,
    checksum bigint NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (flow_id, number)
) WITH (fillfactor = 70);
CREATE INDEX flow_tasks_id ON flow_tasks (flow_id, task_id);
-- NOTE: a run's id may be as long as a body, and a tree has a bound of 2,700 bytes.
CREATE INDEX flow_tasks_run ON flow_tasks USING hash (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX flow_tasks_stale ON flow_tasks (flow_id, stale_since)
    WHERE stale_since IS NOT NULL;

CREATE FUNCTION forget_snapshot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM stored_snapshots WHERE originator_id = OLD.flow_id;
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM stored_snapshots WHERE originator_id = NEW.flow_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER flow_tasks_deleted AFTER DELETE ON flow_tasks
    FOR EACH ROW EXECUTE FUNCTION forget_snapshot();
CREATE TRIGGER flow_tasks_moved AFTER UPDATE OF flow_id, number, task_id, run_id ON flow_tasks
    FOR EACH ROW EXECUTE FUNCTION forget_snapshot();

CREATE TABLE flow_values (
    flow_id text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    checksum bigint NOT NULL,
    json bytea NOT NULL,
    PRIMARY KEY (flow_id, name)
);

CREATE TABLE flow_waits (
    flow_id text COLLATE "C" PRIMARY KEY,
    until bigint NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX flow_waits_until ON flow_waits (until, flow_id);

CREATE TABLE resume_links (
    link_hash text COLLATE "C" NOT NULL,
    flow_id text COLLATE "C" NOT NULL,
    route_id text COLLATE "C" NOT NULL,
    key_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (link_hash, flow_id)
);
CREATE INDEX resume_links_flow ON resume_links (flow_id);

CREATE TABLE flow_names (
    owner text COLLATE "C" NOT NULL,
    correlation_key text COLLATE "C" NOT NULL,
    flow_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (owner, correlation_key)
);
CREATE INDEX flow_names_flow ON flow_names (flow_id);

CREATE TABLE flow_filters (
    position bigint PRIMARY KEY,
    flow_id text COLLATE "C" NOT NULL,
    owner text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    controller_id text COLLATE "C" NOT NULL,
    current_step text COLLATE "C",
    correlation_key text COLLATE "C",
    updated_at bigint NOT NULL
) WITH (fillfactor = 70);
-- NOTE: a text may be as long as a body, and a tree has a bound of 2,700 bytes.
CREATE INDEX flow_filters_controller
    ON flow_filters (owner, substr(controller_id, 1, 200), position);
CREATE INDEX flow_filters_step ON flow_filters (owner, substr(current_step, 1, 200), position)
    WHERE current_step IS NOT NULL;
CREATE INDEX flow_filters_key ON flow_filters (owner, substr(correlation_key, 1, 200), position)
    WHERE correlation_key IS NOT NULL;
CREATE INDEX flow_filters_updated ON flow_filters (owner, updated_at);
CREATE TABLE past_flows (
    flow_id text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    task_id text COLLATE "C" NOT NULL,
    checksum bigint NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (flow_id, version, task_id)
);

CREATE TABLE view_format (format bigint PRIMARY KEY);

CREATE TABLE refused_calls (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at bigint NOT NULL,
    route_id text COLLATE "C" NOT NULL,
    key_id text COLLATE "C" NOT NULL,
    action text NOT NULL,
    code text COLLATE "C" NOT NULL,
    status integer NOT NULL,
    flow_id text COLLATE "C",
    request_id text NOT NULL,
    remote_address text
);
CREATE INDEX refused_calls_flow ON refused_calls USING hash (flow_id) WHERE flow_id IS NOT NULL;
CREATE TABLE totals (
    day bigint NOT NULL,
    route_id text COLLATE "C" NOT NULL,
    key_id text COLLATE "C" NOT NULL,
    code text COLLATE "C" NOT NULL,
    counted bigint NOT NULL,
    dropped bigint NOT NULL,
    PRIMARY KEY (day, route_id, key_id, code)
);
CREATE TABLE turned_away (
    day bigint NOT NULL,
    route_id text COLLATE "C" NOT NULL,
    code text COLLATE "C" NOT NULL,
    counted bigint NOT NULL,
    PRIMARY KEY (day, route_id, code)
);
CREATE TABLE configuration_changes (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at bigint NOT NULL,
    cause text NOT NULL,
    pid bigint NOT NULL,
    changes text NOT NULL
);
CREATE TABLE configuration_state (state text NOT NULL, salt bytea NOT NULL);
""",
)
"""What each version added; a store of version n lacks those from n on."""

VERSION: Final = len(MIGRATIONS)
