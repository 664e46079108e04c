"""The function by which a store on PostgreSQL writes a batch, as its text; see `schema`."""

from __future__ import annotations

from typing import Final

APPEND_BATCH: Final = """
CREATE OR REPLACE FUNCTION append_batch(
    batch uuid, again boolean,
    -- commits, of which those of a flow are written together or not at all
    c_flow text[], c_first bigint[], c_after bigint[],
    c_route text[], c_key text[], c_hash text[], c_version bigint[], c_task text[],
    c_checksum bigint[], c_past bytea[],
    -- events, each with the number of its commit
    e_commit bigint[], e_flow text[], e_version bigint[], e_topic text[], e_state bytea[],
    -- flows as they are afterwards, each with the number of one of its commits
    f_commit bigint[], f_flow text[], f_created boolean[], f_owner text[], f_status text[],
    f_cancelling boolean[], f_tasks bigint[],
    f_version bigint[], f_topic text[], f_state bytea[], f_checksum bigint[], f_json bytea[],
    f_until bigint[],
    f_controller text[], f_step text[], f_key text[], f_live boolean[], f_updated bigint[],
    -- their tasks that changed (those without a number are there already), and large values
    t_commit bigint[], t_flow text[], t_number bigint[], t_task text[], t_run text[],
    t_stale bigint[], t_checksum bigint[], t_state bytea[],
    v_commit bigint[], v_flow text[], v_name text[], v_checksum bigint[], v_json bytea[],
    -- resume links that were made
    l_commit bigint[], l_hash text[], l_flow text[], l_route text[], l_key text[]
) RETURNS TABLE (written boolean[], bare text[]) LANGUAGE plpgsql
-- PERF: to plan each statement anew for its arrays costs a command alone 300 us of 900.
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    won boolean[];
    head bigint;
    added bigint;
    named text[];
BEGIN
    -- A fair queue, until the commit is durable. What is right does not rest on it, but on the row
    -- of the head, which is locked, and on unique keys. Each statement below sees what was
    -- committed before it; in one plain statement all would see what was there before the wait.
    PERFORM pg_advisory_xact_lock(4711, hashtext(current_schema()));
    SELECT position INTO STRICT head FROM log_head FOR UPDATE;

    IF again THEN
        SELECT array_agg(CASE WHEN c.first IS NULL
            THEN EXISTS (SELECT 1 FROM request_keys k WHERE k.route_id = c.route AND k.key = c.key
                AND k.request_hash = c.hash AND k.flow_id = c.flow AND k.version = c.version)
            ELSE EXISTS (SELECT 1 FROM stored_events s WHERE s.originator_id = c.flow
                AND s.originator_version = c.first AND s.batch_id = batch)
            END ORDER BY c.n) INTO won
        FROM unnest(c_flow, c_first, c_route, c_key, c_hash, c_version)
            WITH ORDINALITY AS c(flow, first, route, key, hash, version, n);
        IF true = ANY (won) THEN
            RETURN QUERY SELECT won, '{}'::text[];
            RETURN;
        END IF;
    END IF;

    SELECT array_agg(o.free ORDER BY o.n) INTO won FROM (
        SELECT c.n, bool_and(
            (c.after IS NULL OR c.after = coalesce((SELECT max(s.originator_version)
                FROM stored_events s WHERE s.originator_id = c.flow), 0))
            AND (c.key IS NULL OR NOT EXISTS (
                SELECT 1 FROM request_keys k WHERE k.route_id = c.route AND k.key = c.key))
        ) OVER (PARTITION BY c.flow) AS free
        FROM unnest(c_flow, c_after, c_route, c_key)
            WITH ORDINALITY AS c(flow, after, route, key, n)
    ) o;

    -- A correlation key whose flow ends here is free for one that is opened here.
    IF cardinality(array_remove(f_key, NULL)) > 0 THEN
        DELETE FROM flow_names AS old
            USING unnest(f_commit, f_flow, f_owner, f_key, f_live)
                AS f(commit, flow, owner, key, live)
            WHERE won[f.commit] AND NOT f.live AND old.owner = f.owner
            AND old.correlation_key = f.key AND old.flow_id = f.flow;
        WITH taken AS (
            INSERT INTO flow_names
                SELECT DISTINCT ON (f.owner, f.key) f.owner, f.key, f.flow
                FROM unnest(f_commit, f_flow, f_created, f_owner, f_key, f_live)
                    WITH ORDINALITY AS f(commit, flow, created, owner, key, live, n)
                WHERE won[f.commit] AND f.created AND f.live AND f.key IS NOT NULL
                ORDER BY f.owner, f.key, f.n
                ON CONFLICT (owner, correlation_key) DO NOTHING
                RETURNING flow_id)
            SELECT coalesce(array_agg(flow_id), '{}') INTO named FROM taken;
        SELECT array_agg(won[c.n] AND NOT EXISTS (
                SELECT 1 FROM unnest(f_flow, f_created, f_key, f_live)
                    AS f(flow, created, key, live)
                WHERE f.flow = c.flow AND f.created AND f.live AND f.key IS NOT NULL
                AND f.flow <> ALL (named))
            ORDER BY c.n) INTO won
        FROM unnest(c_flow) WITH ORDINALITY AS c(flow, n);
    END IF;

    INSERT INTO request_keys
        SELECT c.route, c.key, c.hash, c.flow, c.version, c.task
        FROM unnest(c_flow, c_route, c_key, c_hash, c_version, c_task)
            WITH ORDINALITY AS c(flow, route, key, hash, version, task, n)
        WHERE won[c.n] AND c.key IS NOT NULL;
    -- Keys that stand for one answer share its row, and the last of them writes it.
    INSERT INTO past_flows
        SELECT DISTINCT ON (c.flow, c.version, coalesce(c.task, ''))
            c.flow, c.version, coalesce(c.task, ''), c.checksum, c.past
        FROM unnest(c_flow, c_version, c_task, c_checksum, c_past)
            WITH ORDINALITY AS c(flow, version, task, checksum, past, n)
        WHERE won[c.n] AND c.past IS NOT NULL
        ORDER BY c.flow, c.version, coalesce(c.task, ''), c.n DESC
        ON CONFLICT (flow_id, version, task_id) DO UPDATE
            SET checksum = excluded.checksum, state = excluded.state;

    INSERT INTO stored_events
        SELECT e.flow, e.version, e.topic, e.state, head + row_number() OVER (ORDER BY e.n), batch
        FROM unnest(e_commit, e_flow, e_version, e_topic, e_state)
            WITH ORDINALITY AS e(commit, flow, version, topic, state, n)
        WHERE won[e.commit];
    GET DIAGNOSTICS added = ROW_COUNT;
    IF added = 0 THEN
        RETURN QUERY SELECT won, '{}'::text[];
        RETURN;
    END IF;

    -- A flow whose snapshot is gone may lack rows of tasks too: it is left without, and named.
    SELECT coalesce(array_agg(f.flow), '{}') INTO bare
        FROM unnest(f_commit, f_flow, f_created, f_tasks) AS f(commit, flow, created, tasks)
        WHERE won[f.commit] AND NOT f.created AND f.tasks > 0
        AND NOT EXISTS (SELECT 1 FROM stored_snapshots s WHERE s.originator_id = f.flow);

    IF cardinality(t_flow) > 0 THEN
        INSERT INTO flow_tasks
            SELECT t.flow, t.number, t.task, t.run, t.stale, t.checksum, t.state
            FROM unnest(t_commit, t_flow, t_number, t_task, t_run, t_stale, t_checksum, t_state)
                AS t(commit, flow, number, task, run, stale, checksum, state)
            WHERE won[t.commit] AND t.number IS NOT NULL
            ON CONFLICT (flow_id, number) DO UPDATE SET task_id = excluded.task_id,
                run_id = excluded.run_id, stale_since = excluded.stale_since,
                checksum = excluded.checksum, state = excluded.state;
        UPDATE flow_tasks AS old
            SET stale_since = t.stale, checksum = t.checksum, state = t.state
            FROM unnest(t_commit, t_flow, t_number, t_task, t_stale, t_checksum, t_state)
                AS t(commit, flow, number, task, stale, checksum, state)
            WHERE won[t.commit] AND t.number IS NULL
            AND old.flow_id = t.flow AND old.task_id = t.task;
    END IF;

    IF true = ANY (f_created) THEN
        INSERT INTO flow_index
            SELECT f.flow, f.owner, s.notification_id, f.status, CASE WHEN f.cancelling
                THEN (SELECT min(t.stale_since) FROM flow_tasks t WHERE t.flow_id = f.flow) END
            FROM unnest(f_commit, f_flow, f_created, f_owner, f_status, f_cancelling)
                AS f(commit, flow, created, owner, status, cancelling)
            JOIN stored_events s ON s.originator_id = f.flow AND s.originator_version = 1
            WHERE won[f.commit] AND f.created;
        INSERT INTO stored_snapshots
            SELECT f.flow, f.version, f.topic, f.state
            FROM unnest(f_commit, f_flow, f_created, f_version, f_topic, f_state)
                AS f(commit, flow, created, version, topic, state)
            WHERE won[f.commit] AND f.created
            ON CONFLICT (originator_id) DO UPDATE SET topic = excluded.topic,
                originator_version = excluded.originator_version, state = excluded.state;
    END IF;
    IF false = ANY (f_created) THEN
        UPDATE flow_index AS i SET status = n.status, silent_since = n.silent_since
            FROM (SELECT f.flow, f.status, CASE WHEN f.cancelling
                THEN (SELECT min(t.stale_since) FROM flow_tasks t WHERE t.flow_id = f.flow)
                END AS silent_since
                FROM unnest(f_commit, f_flow, f_created, f_status, f_cancelling)
                    AS f(commit, flow, created, status, cancelling)
                WHERE won[f.commit] AND NOT f.created) AS n
            WHERE i.flow_id = n.flow
            AND (i.status, i.silent_since) IS DISTINCT FROM (n.status, n.silent_since);
        UPDATE stored_snapshots AS s
            SET originator_version = f.version, topic = f.topic, state = f.state
            FROM unnest(f_commit, f_flow, f_created, f_version, f_topic, f_state)
                AS f(commit, flow, created, version, topic, state)
            WHERE won[f.commit] AND NOT f.created AND s.originator_id = f.flow;
        INSERT INTO stored_snapshots
            SELECT f.flow, f.version, f.topic, f.state
            FROM unnest(f_commit, f_flow, f_created, f_tasks, f_version, f_topic, f_state)
                AS f(commit, flow, created, tasks, version, topic, state)
            WHERE won[f.commit] AND NOT f.created AND f.tasks = 0
            AND NOT EXISTS (SELECT 1 FROM stored_snapshots s WHERE s.originator_id = f.flow);
    END IF;

    IF true = ANY (f_created) THEN
        INSERT INTO flow_filters
            SELECT i.position, f.flow, f.owner, f.status, f.controller, f.step, f.key, f.updated
            FROM unnest(f_commit, f_flow, f_created, f_owner, f_status, f_controller, f_step,
                f_key, f_updated)
                AS f(commit, flow, created, owner, status, controller, step, key, updated)
            JOIN flow_index i ON i.flow_id = f.flow
            WHERE won[f.commit] AND f.created;
    END IF;
    IF false = ANY (f_created) THEN
        UPDATE flow_filters AS old
            SET status = f.status, current_step = f.step, updated_at = f.updated
            FROM unnest(f_commit, f_flow, f_created, f_status, f_step, f_updated)
                AS f(commit, flow, created, status, step, updated)
            JOIN flow_index i ON i.flow_id = f.flow
            WHERE won[f.commit] AND NOT f.created
            AND old.position = i.position AND old.flow_id = f.flow;
    END IF;

    INSERT INTO flow_views
        SELECT i.position, f.flow, f.owner, f.version, f.checksum, f.json
        FROM unnest(f_commit, f_flow, f_owner, f_version, f_checksum, f_json)
            AS f(commit, flow, owner, version, checksum, json)
        JOIN flow_index i ON i.flow_id = f.flow
        WHERE won[f.commit]
        ON CONFLICT (position) DO UPDATE SET flow_id = excluded.flow_id, owner = excluded.owner,
            version = excluded.version, checksum = excluded.checksum, json = excluded.json;

    IF false = ANY (f_created) THEN
        DELETE FROM flow_values AS old USING unnest(f_commit, f_flow) AS f(commit, flow)
            WHERE won[f.commit] AND old.flow_id = f.flow AND NOT EXISTS (
                SELECT 1 FROM unnest(v_flow, v_name) AS v(flow, name)
                WHERE v.flow = old.flow_id AND v.name = old.name);
    END IF;
    IF cardinality(v_flow) > 0 THEN
        INSERT INTO flow_values AS old
            SELECT v.flow, v.name, v.checksum, v.json
            FROM unnest(v_commit, v_flow, v_name, v_checksum, v_json)
                AS v(commit, flow, name, checksum, json)
            WHERE won[v.commit]
            ON CONFLICT (flow_id, name) DO UPDATE
                SET checksum = excluded.checksum, json = excluded.json
                WHERE old.checksum <> excluded.checksum
                OR length(old.json) <> length(excluded.json);
    END IF;

    DELETE FROM flow_waits AS old USING unnest(f_commit, f_flow, f_until)
        AS f(commit, flow, until)
        WHERE won[f.commit] AND f.until IS NULL AND old.flow_id = f.flow;
    INSERT INTO flow_waits AS old
        SELECT f.flow, f.until FROM unnest(f_commit, f_flow, f_until) AS f(commit, flow, until)
        WHERE won[f.commit] AND f.until IS NOT NULL
        ON CONFLICT (flow_id) DO UPDATE SET until = excluded.until
            WHERE old.until <> excluded.until;
    IF cardinality(l_hash) > 0 THEN
        INSERT INTO resume_links
            SELECT DISTINCT ON (l.hash, l.flow) l.hash, l.flow, l.route, l.key
            FROM unnest(l_commit, l_hash, l_flow, l_route, l_key)
                WITH ORDINALITY AS l(commit, hash, flow, route, key, n)
            WHERE won[l.commit] ORDER BY l.hash, l.flow, l.n DESC
            ON CONFLICT (link_hash, flow_id) DO UPDATE
                SET route_id = excluded.route_id, key_id = excluded.key_id;
    END IF;

    UPDATE log_head SET position = head + added;
    RETURN QUERY SELECT won, bare;
END $$;
"""
