"""The function by which a store on PostgreSQL writes a batch, as its text; see `schema`."""

from __future__ import annotations

from typing import Final

PLANNED_ONCE: Final = """
-- PERF: a plan is made once a connection, for arrays of any length and tables of any size. To plan
-- anew for each call costs a command alone 300 us of 900; what is planned for an empty table reads
-- all of it for ever.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off
SET enable_hashjoin = off SET enable_mergejoin = off"""

APPEND_BATCH: Final = f"""
CREATE OR REPLACE FUNCTION append_batch(
    batch uuid, again boolean,
    -- the version that each flow must have before the batch
    x_flow text[], x_after bigint[],
    -- request keys, the answers that they stand for, and resume links that were made
    k_route text[], k_key text[], k_hash text[], k_flow text[], k_version bigint[], k_task text[],
    p_flow text[], p_version bigint[], p_task text[], p_checksum bigint[], p_state bytea[],
    l_hash text[], l_flow text[], l_route text[], l_key text[],
    -- correlation keys whose flows end, and those of flows that are opened, be it to end here too
    d_owner text[], d_key text[], d_flow text[],
    n_owner text[], n_key text[], n_flow text[],
    e_flow text[], e_version bigint[], e_topic text[], e_state bytea[],
    -- flows as they are afterwards; those that are created with the number of their first event
    f_flow text[], f_first bigint[], f_owner text[], f_status text[],
    f_cancelling boolean[], f_tasks bigint[],
    f_version bigint[], f_topic text[], f_state bytea[], f_checksum bigint[], f_json bytea[],
    f_controller text[], f_step text[], f_key text[], f_updated bigint[],
    -- those whose rows in the index change, that wait until some moment, that do so no more, and
    -- values that are large no more
    i_flow text[], i_status text[], i_cancelling boolean[],
    u_flow text[], u_until bigint[], o_flow text[], g_flow text[], g_name text[],
    -- their tasks that changed (those without a number are there already), and large values
    t_flow text[], t_number bigint[], t_task text[], t_run text[],
    t_stale bigint[], t_checksum bigint[], t_state bytea[],
    v_flow text[], v_name text[], v_checksum bigint[], v_json bytea[],
    -- flows of which something is in the way: then nothing is written
    OUT lost text[],
    -- flows that are left without a snapshot
    OUT bare text[]
) LANGUAGE plpgsql {PLANNED_ONCE} AS $$
#variable_conflict use_column
DECLARE
    head bigint;
    kept bigint;
    creates boolean := cardinality(f_first) > cardinality(array_positions(f_first, NULL));
    updates boolean := cardinality(array_positions(f_first, NULL)) > 0;
BEGIN
    -- A fair queue, until the commit is durable. What is right does not rest on it, but on unique
    -- keys and on the head, which must not have moved since all was compared. Each statement below
    -- sees what was committed before it; in one plain statement all would see what was there before
    -- the wait.
    PERFORM pg_advisory_xact_lock(4711, hashtext(current_schema()));
    LOOP
        SELECT (SELECT position FROM log_head), array_agg(x.flow) INTO head, lost
            FROM unnest(x_flow, x_after) AS x(flow, after)
            WHERE x.after <> coalesce((SELECT max(s.originator_version)
                FROM stored_events s WHERE s.originator_id = x.flow), 0);
        IF head IS NULL THEN
            RAISE EXCEPTION 'a half-made copy has no head';
        END IF;
        IF again AND (CASE WHEN cardinality(e_flow) > 0
            THEN EXISTS (SELECT 1 FROM stored_events s WHERE s.originator_id = e_flow[1]
                AND s.originator_version = e_version[1] AND s.batch_id = batch)
            -- Somebody else may have answered some of the same requests meanwhile, as we would.
            ELSE NOT EXISTS (
                SELECT 1 FROM unnest(k_route, k_key, k_hash, k_flow, k_version)
                    AS w(route, key, hash, flow, version)
                WHERE NOT EXISTS (
                    SELECT 1 FROM request_keys k WHERE k.route_id = w.route AND k.key = w.key
                    AND k.request_hash = w.hash AND k.flow_id = w.flow AND k.version = w.version))
            END)
        THEN
            lost := NULL;
            RETURN;
        END IF;
        IF cardinality(k_key) > 0 THEN
            SELECT lost || array_agg(w.flow) INTO lost FROM unnest(k_route, k_key, k_flow)
                AS w(route, key, flow) WHERE EXISTS (
                    SELECT 1 FROM request_keys k WHERE k.route_id = w.route AND k.key = w.key);
        END IF;
        IF cardinality(n_key) > 0 THEN
            -- A correlation key whose flow ends here is free for one that is opened here.
            SELECT lost || array_agg(n.flow) INTO lost FROM unnest(n_owner, n_key, n_flow)
                AS n(owner, key, flow) WHERE EXISTS (
                    SELECT 1 FROM flow_names old WHERE old.owner = n.owner
                    AND old.correlation_key = n.key AND old.flow_id <> ALL (d_flow));
        END IF;
        IF lost IS NOT NULL THEN
            RETURN;
        END IF;
        UPDATE log_head SET position = head + cardinality(e_flow) WHERE position = head;
        EXIT WHEN FOUND;
    END LOOP;

    INSERT INTO stored_events
        SELECT e.flow, e.version, e.topic, e.state, head + e.n, batch
        FROM unnest(e_flow, e_version, e_topic, e_state)
            WITH ORDINALITY AS e(flow, version, topic, state, n);
    IF cardinality(k_key) > 0 THEN
        INSERT INTO request_keys
            SELECT * FROM unnest(k_route, k_key, k_hash, k_flow, k_version, k_task);
        INSERT INTO past_flows
            SELECT * FROM unnest(p_flow, p_version, p_task, p_checksum, p_state)
            ON CONFLICT (flow_id, version, task_id) DO UPDATE
                SET checksum = excluded.checksum, state = excluded.state;
    END IF;
    IF cardinality(d_key) > 0 THEN
        DELETE FROM flow_names AS old USING unnest(d_owner, d_key, d_flow) AS d(owner, key, flow)
            WHERE old.owner = d.owner AND old.correlation_key = d.key AND old.flow_id = d.flow;
    END IF;
    IF cardinality(n_key) > 0 THEN
        INSERT INTO flow_names SELECT * FROM unnest(n_owner, n_key, n_flow) AS n(owner, key, flow)
            WHERE n.flow <> ALL (d_flow);
    END IF;
    IF cardinality(t_flow) > 0 THEN
        INSERT INTO flow_tasks
            SELECT *
            FROM unnest(t_flow, t_number, t_task, t_run, t_stale, t_checksum, t_state)
                AS t(flow, number, task, run, stale, checksum, state)
            WHERE t.number IS NOT NULL
            ON CONFLICT (flow_id, number) DO UPDATE SET task_id = excluded.task_id,
                run_id = excluded.run_id, stale_since = excluded.stale_since,
                checksum = excluded.checksum, state = excluded.state;
        UPDATE flow_tasks AS old
            SET stale_since = t.stale, checksum = t.checksum, state = t.state
            FROM unnest(t_flow, t_number, t_task, t_stale, t_checksum, t_state)
                AS t(flow, number, task, stale, checksum, state)
            WHERE t.number IS NULL AND old.flow_id = t.flow AND old.task_id = t.task;
    END IF;

    IF creates THEN
        INSERT INTO flow_index
            SELECT f.flow, f.owner, head + f.first, f.status, CASE WHEN f.cancelling
                THEN (SELECT min(t.stale_since) FROM flow_tasks t WHERE t.flow_id = f.flow) END
            FROM unnest(f_flow, f_first, f_owner, f_status, f_cancelling)
                AS f(flow, first, owner, status, cancelling)
            WHERE f.first IS NOT NULL;
        INSERT INTO stored_snapshots
            SELECT f.flow, f.version, f.topic, f.state
            FROM unnest(f_flow, f_first, f_version, f_topic, f_state)
                AS f(flow, first, version, topic, state)
            WHERE f.first IS NOT NULL
            ON CONFLICT (originator_id) DO UPDATE SET topic = excluded.topic,
                originator_version = excluded.originator_version, state = excluded.state;
        INSERT INTO flow_filters
            SELECT head + f.first, f.flow, f.owner, f.status, f.controller, f.step, f.key, f.updated
            FROM unnest(f_flow, f_first, f_owner, f_status, f_controller, f_step, f_key, f_updated)
                AS f(flow, first, owner, status, controller, step, key, updated)
            WHERE f.first IS NOT NULL;
    END IF;
    IF cardinality(i_flow) > 0 THEN
        UPDATE flow_index AS old SET status = i.status, silent_since = CASE WHEN i.cancelling
            THEN (SELECT min(t.stale_since) FROM flow_tasks t WHERE t.flow_id = i.flow) END
            FROM unnest(i_flow, i_status, i_cancelling) AS i(flow, status, cancelling)
            WHERE old.flow_id = i.flow;
    END IF;
    IF updates THEN
        UPDATE stored_snapshots AS s
            SET originator_version = f.version, topic = f.topic, state = f.state
            FROM unnest(f_flow, f_first, f_version, f_topic, f_state)
                AS f(flow, first, version, topic, state)
            WHERE f.first IS NULL AND s.originator_id = f.flow;
        GET DIAGNOSTICS kept = ROW_COUNT;
        IF kept < cardinality(array_positions(f_first, NULL)) THEN
            -- A flow whose snapshot is gone may lack rows of tasks too.
            SELECT array_agg(f.flow) INTO bare FROM unnest(f_flow, f_tasks) AS f(flow, tasks)
                WHERE f.tasks > 0 AND NOT EXISTS (
                    SELECT 1 FROM stored_snapshots s WHERE s.originator_id = f.flow);
            INSERT INTO stored_snapshots
                SELECT f.flow, f.version, f.topic, f.state
                FROM unnest(f_flow, f_tasks, f_version, f_topic, f_state)
                    AS f(flow, tasks, version, topic, state)
                WHERE f.tasks = 0
                ON CONFLICT (originator_id) DO NOTHING;
        END IF;
        UPDATE flow_filters AS old
            SET status = f.status, current_step = f.step, updated_at = f.updated
            FROM unnest(f_flow, f_first, f_status, f_step, f_updated)
                AS f(flow, first, status, step, updated)
            JOIN flow_index i ON i.flow_id = f.flow
            WHERE f.first IS NULL AND old.position = i.position AND old.flow_id = f.flow;
    END IF;
    INSERT INTO flow_views
        SELECT coalesce(head + f.first, i.position), f.flow, f.owner, f.version, f.checksum, f.json
        FROM unnest(f_flow, f_first, f_owner, f_version, f_checksum, f_json)
            AS f(flow, first, owner, version, checksum, json)
        LEFT JOIN flow_index i ON f.first IS NULL AND i.flow_id = f.flow
        WHERE f.first IS NOT NULL OR i.position IS NOT NULL
        ON CONFLICT (position) DO UPDATE SET flow_id = excluded.flow_id, owner = excluded.owner,
            version = excluded.version, checksum = excluded.checksum, json = excluded.json;
    IF cardinality(v_flow) > 0 THEN
        INSERT INTO flow_values AS old
            SELECT * FROM unnest(v_flow, v_name, v_checksum, v_json)
            ON CONFLICT (flow_id, name) DO UPDATE
                SET checksum = excluded.checksum, json = excluded.json
                WHERE old.checksum <> excluded.checksum OR old.json <> excluded.json;
    END IF;
    IF cardinality(g_flow) > 0 THEN
        DELETE FROM flow_values AS old USING unnest(g_flow, g_name) AS g(flow, name)
            WHERE old.flow_id = g.flow AND old.name = g.name;
    END IF;
    IF cardinality(o_flow) > 0 THEN
        DELETE FROM flow_waits AS old USING unnest(o_flow) AS o(flow) WHERE old.flow_id = o.flow;
    END IF;
    IF cardinality(u_flow) > 0 THEN
        INSERT INTO flow_waits AS old SELECT * FROM unnest(u_flow, u_until)
            ON CONFLICT (flow_id) DO UPDATE SET until = excluded.until
                WHERE old.until <> excluded.until;
    END IF;
    IF cardinality(l_hash) > 0 THEN
        INSERT INTO resume_links SELECT * FROM unnest(l_hash, l_flow, l_route, l_key)
            ON CONFLICT (link_hash, flow_id) DO UPDATE
                SET route_id = excluded.route_id, key_id = excluded.key_id;
    END IF;
END $$;
"""  # noqa: S608 - text of ours
