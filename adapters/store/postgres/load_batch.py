"""The function by which a store on PostgreSQL loads what a batch is decided on, as its text."""

from __future__ import annotations

from typing import Final

from adapters.store.postgres.append_batch import PLANNED_ONCE

_FLOW: Final = """w.n, s.originator_version, s.topic, s.state,
            (SELECT max(e.originator_version) FROM stored_events e WHERE e.originator_id = w.flow),
            ARRAY(SELECT v.name FROM flow_values v WHERE v.flow_id = w.flow ORDER BY v.name),
            ARRAY(SELECT v.json FROM flow_values v WHERE v.flow_id = w.flow ORDER BY v.name)"""
_FROM: Final = """FROM unnest(w_flow, w_owner, w_every) WITH ORDINALITY AS w(flow, owner, every, n)
            JOIN flow_index i ON i.flow_id = w.flow AND i.owner = w.owner
            LEFT JOIN stored_snapshots s ON s.originator_id = w.flow"""
_NO_TASKS: Final = (
    "NULL::text[], NULL::bigint[], NULL::text[], NULL::text[], NULL::bigint[], NULL::bigint[],"
    " NULL::bytea[]"
)
_NO_KEY: Final = (
    "NULL::text, NULL::text, NULL::text, NULL::text, NULL::bigint, NULL::text, NULL::bigint,"
    " NULL::bytea"
)
# The tasks come by three ways, as each has an index of its own.
LOAD_BATCH: Final = f"""
CREATE OR REPLACE FUNCTION load_batch(
    -- flows of owners, with all of their tasks or those with some ids and of some runs
    w_flow text[], w_owner text[], w_every boolean[],
    i_n bigint[], i_id text[], r_n bigint[], r_id text[],
    -- request keys
    k_route text[], k_key text[]
) RETURNS TABLE (n bigint, originator_version bigint, topic text, kept bytea, latest bigint,
    names text[], jsons bytea[],
    flow_ids text[], numbers bigint[], task_ids text[], run_ids text[], stale_sinces bigint[],
    checksums bigint[], states bytea[],
    route_id text, key text, request_hash text, flow_id text, version bigint,
    task_id text, checksum bigint, state bytea
) LANGUAGE plpgsql STABLE {PLANNED_ONCE} AS $$
#variable_conflict use_column
BEGIN
    IF true = ANY (w_every) OR cardinality(i_n) > 0 OR cardinality(r_n) > 0 THEN
        RETURN QUERY SELECT {_FLOW}, tasks.*, {_NO_KEY}
            {_FROM}
            CROSS JOIN LATERAL (
                SELECT array_agg(t.flow_id), array_agg(t.number), array_agg(t.task_id),
                    array_agg(t.run_id), array_agg(t.stale_since), array_agg(t.checksum),
                    array_agg(t.state)
                FROM (
                    SELECT * FROM flow_tasks a WHERE w.every AND a.flow_id = w.flow
                    UNION ALL SELECT b.* FROM unnest(i_n, i_id) AS i(n, id)
                        JOIN flow_tasks b ON b.flow_id = w.flow AND b.task_id = i.id
                        WHERE i.n = w.n
                    UNION ALL SELECT c.* FROM unnest(r_n, r_id) AS r(n, id)
                        JOIN flow_tasks c ON c.flow_id = w.flow AND c.run_id = r.id
                        WHERE r.n = w.n
                    ORDER BY number
                ) t
            ) tasks;
    ELSIF cardinality(w_flow) > 0 THEN
        RETURN QUERY SELECT {_FLOW}, {_NO_TASKS}, {_NO_KEY}
            {_FROM};
    END IF;
    IF cardinality(k_key) > 0 THEN
        RETURN QUERY SELECT NULL::bigint, NULL::bigint, NULL::text, NULL::bytea, NULL::bigint,
            NULL::text[], NULL::bytea[], {_NO_TASKS}, k.*, p.checksum, p.state
            FROM unnest(k_route, k_key) AS w(route, key)
            JOIN request_keys k ON k.route_id = w.route AND k.key = w.key
            LEFT JOIN past_flows p ON p.flow_id = k.flow_id AND p.version = k.version
                AND p.task_id = coalesce(k.task_id, '');
    END IF;
END $$;
"""  # noqa: S608 - text of ours
