"""Attacks on what is derived of the events: snapshots, the index, request keys."""

from __future__ import annotations

import json
from random import Random
from typing import Final

from tests.audit.attacks.place import Place
from tests.audit.attacks.scene import Scene

_SNAPSHOT: Final = "SELECT originator_id, state FROM stored_snapshots ORDER BY originator_id"
_LIES: Final = {
    "goal": "Pay Mallory",
    "owner": "agent:mallory:main",
    "revision": 99,
    "version": 99,
    "status": "lost",
    "current_step": "paid",
    "state_json": '{"paid":true}',
    "updated_at": 1,
    "cancel_requested_at": 1,
    "flow_id": "id-0",
}


def edited_snapshot(scene: Scene, rng: Random) -> Place:
    """Change what a snapshot says of a flow."""
    with scene.behind_its_back() as database:
        flow_id, state = rng.choice(database.execute(_SNAPSHOT).fetchall())
        flow = json.loads(state)
        name = rng.choice([name for name, value in _LIES.items() if flow.get(name) != value])
        flow[name] = _LIES[name]
        database.execute(
            "UPDATE stored_snapshots SET state=? WHERE originator_id=?",
            (json.dumps(flow).encode(), flow_id),
        )
    return Place(flow_id=flow_id)


def edited_index_row(scene: Scene, rng: Random) -> Place:
    """Change, delete or put in a row of the owners' index."""
    edit = rng.choice(_INDEX_EDITS)
    with scene.behind_its_back() as database:
        rows = database.execute("SELECT flow_id FROM flow_index ORDER BY flow_id").fetchall()
        (flow_id,) = rng.choice(rows)
        database.execute(edit, {"flow": flow_id})
    return Place(flow_id="id-0" if "'id-0'" in edit else flow_id)


_INDEX_EDITS: Final = (
    "UPDATE flow_index SET owner='agent:mallory:main' WHERE flow_id=:flow",
    "UPDATE flow_index SET position=position + 1000 WHERE flow_id=:flow",
    "UPDATE flow_index SET status='lost' WHERE flow_id=:flow",
    "UPDATE flow_index SET silent_since=7 WHERE flow_id=:flow",
    "DELETE FROM flow_index WHERE flow_id=:flow",
    "INSERT INTO flow_index VALUES ('id-0', :flow, 999, 'queued', NULL)",
)


def edited_request_key(scene: Scene, rng: Random) -> Place:
    """Change, delete or put in what a request key of an event stands for."""
    edit = rng.choice(_KEY_EDITS)
    with scene.behind_its_back() as database:
        rows = database.execute(_KEYS_OF_EVENTS).fetchall()
        key, flow_id = rng.choice(rows)
        database.execute(edit, {"key": key, "flow": flow_id})
    return Place(flow_id=flow_id)


_KEYS_OF_EVENTS: Final = (
    "SELECT key, flow_id FROM request_keys JOIN stored_events"
    " ON originator_id=flow_id AND originator_version=version"
    " WHERE instr(CAST(state AS TEXT), '\"' || key || '\"') ORDER BY key"
)
_KEY_EDITS: Final = (
    "UPDATE request_keys SET request_hash='00' WHERE key=:key",
    "UPDATE request_keys SET version=version + 1 WHERE key=:key",
    "UPDATE request_keys SET flow_id='id-0' WHERE key=:key",
    "UPDATE request_keys SET task_id='id-0' WHERE key=:key",
    "DELETE FROM request_keys WHERE key=:key",
    "INSERT INTO request_keys VALUES ('zapier', 'forged', '00', :flow, 1, NULL)",
)
