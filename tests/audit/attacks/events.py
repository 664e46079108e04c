"""Attacks on the events: changed, deleted, put in, exchanged, re-numbered, cut off, rolled back.

Each strikes within what the auditor's checkpoints cover. Every second time the attacker then
writes all derived rows again from what is left of the events, if they still fold.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from random import Random
from typing import Any

from attrs import evolve, frozen

from adapters.store import StoreFault, open_for_writing, rebuild
from tests.audit.attacks.place import Place
from tests.audit.attacks.scene import Scene


@frozen
class Row:
    """An event's row, as SQLite has it."""

    position: int
    flow_id: str
    version: int
    name: str
    state: bytes

    @property
    def place(self) -> Place:
        """Where it is."""
        return Place(position=self.position, flow_id=self.flow_id, version=self.version)


_ROWS = "SELECT rowid, * FROM stored_events WHERE rowid <= ? ORDER BY rowid"


def _covered(scene: Scene) -> list[Row]:
    with closing(sqlite3.connect(scene.database)) as connection:
        return [Row(*row) for row in connection.execute(_ROWS, (scene.covered,))]


def _last_of_streams(rows: list[Row]) -> list[Row]:
    return list({row.flow_id: row for row in rows}.values())


def cover_up(scene: Scene, rng: Random) -> None:
    """Write the derived rows again so that they agree with the events, every second time."""
    if rng.random() < 0.5:  # every second time
        return
    with suppress(StoreFault), closing(open_for_writing(scene.url)) as store:
        rebuild(store)


def changed_byte(scene: Scene, rng: Random) -> Place:
    """Flip a bit of an event's bytes."""
    row = rng.choice(_covered(scene))
    state = bytearray(row.state)
    state[rng.randrange(len(state))] ^= 1 << rng.randrange(8)
    _write(scene, row, bytes(state))
    cover_up(scene, rng)
    return row.place


def _write(scene: Scene, row: Row, state: bytes) -> None:
    with scene.behind_its_back() as database:
        database.execute("UPDATE stored_events SET state=? WHERE rowid=?", (state, row.position))


def edited_metadata(scene: Scene, rng: Random) -> Place:
    """Lay an event at somebody else's door, or at another time."""
    row = rng.choice(_covered(scene))
    fields = json.loads(row.state)
    rng.choice(_LIES)(fields["metadata"])
    _write(scene, row, json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode())
    cover_up(scene, rng)
    return row.place


def _lie(**values: object) -> Callable[[dict[str, Any]], None]:
    return lambda metadata: metadata.update(values)


_LIES = (
    _lie(actor={"kind": "operator", "name": "mallory"}),
    _lie(actor={"kind": "route", "name": "n8n", "key_id": "2026-01"}),
    _lie(request_id="other", correlation_id="other", causation_id="other"),
    _lie(remote_address="198.51.100.9"),
    _lie(recorded_at=1),
)


def deleted_from_the_middle(scene: Scene, rng: Random) -> Place:
    """Delete an event that others of its stream follow; the log keeps its hole."""
    rows = _covered(scene)
    last = {row.flow_id: row.version for row in _last_of_streams(rows)}
    row = rng.choice([row for row in rows if row.version < last[row.flow_id]])
    _delete(scene, row.position)
    return row.place


def deleted_and_closed_up(scene: Scene, rng: Random) -> Place:
    """Delete an event, and move all that came after it in its stream and in the log."""
    row = rng.choice(_covered(scene))
    _delete(scene, row.position)
    _shift_log(scene, row.position, -1)
    _shift_stream(scene, row, -1)
    cover_up(scene, rng)
    return row.place


def deleted_last_of_a_stream(scene: Scene, rng: Random) -> Place:
    """Delete the latest event of a flow, and close up the log."""
    with closing(sqlite3.connect(scene.database)) as connection:
        rows = [Row(*row) for row in connection.execute(_ROWS, (1 << 62,))]
    lasts = [row for row in _last_of_streams(rows) if row.position <= scene.covered]
    row = rng.choice(lasts)
    _delete(scene, row.position)
    _shift_log(scene, row.position, -1)
    cover_up(scene, rng)
    return row.place


def _delete(scene: Scene, position: int) -> None:
    with scene.behind_its_back() as database:
        database.execute("DELETE FROM stored_events WHERE rowid=?", (position,))


def _shift_log(scene: Scene, position: int, by: int) -> None:
    """Move all events from a position on, by one."""
    with scene.behind_its_back() as database:
        found = database.execute("SELECT rowid FROM stored_events WHERE rowid>=?", (position,))
        for (old,) in sorted(found.fetchall(), reverse=by > 0):
            database.execute("UPDATE stored_events SET rowid=? WHERE rowid=?", (old + by, old))


def _shift_stream(scene: Scene, row: Row, by: int) -> None:
    """Move all events of a stream from a version on, by one."""
    query = "SELECT originator_version FROM stored_events WHERE originator_id=?"
    with scene.behind_its_back() as database:
        versions = [version for (version,) in database.execute(query, (row.flow_id,))]
        for old in sorted((v for v in versions if v >= row.version), reverse=by > 0):
            database.execute(
                "UPDATE stored_events SET originator_version=? WHERE originator_id=?"
                " AND originator_version=?",
                (old + by, row.flow_id, old),
            )


def inserted(scene: Scene, rng: Random) -> Place:
    """Put a copy of an event into the log before another one of its stream, and make room."""
    rows = _covered(scene)
    row = rng.choice(rows)
    copy = rng.choice([other for other in rows if other.state != row.state])
    _shift_log(scene, row.position, 1)
    _shift_stream(scene, row, 1)
    with scene.behind_its_back() as database:
        database.execute(
            "INSERT INTO stored_events"
            " (rowid, originator_id, originator_version, topic, state) VALUES (?, ?, ?, ?, ?)",
            (row.position, row.flow_id, row.version, copy.name, copy.state),
        )
    cover_up(scene, rng)
    return row.place


def swapped_places(scene: Scene, rng: Random) -> Place:
    """Let two events change places in the log."""
    one, other = sorted(rng.sample(_covered(scene), 2), key=lambda row: row.position)
    with scene.behind_its_back() as database:
        for old, new in ((one.position, -1), (other.position, one.position), (-1, other.position)):
            database.execute("UPDATE stored_events SET rowid=? WHERE rowid=?", (new, old))
    cover_up(scene, rng)
    return one.place


def swapped_contents(scene: Scene, rng: Random) -> Place:
    """Let two events that differ change what they say."""
    rows = _covered(scene)
    one = rng.choice(rows)
    other = rng.choice([row for row in rows if row.state != one.state])
    with scene.behind_its_back() as database:
        for row, given in ((one, other), (other, one)):
            database.execute(
                "UPDATE stored_events SET topic=?, state=? WHERE rowid=?",
                (given.name, given.state, row.position),
            )
    cover_up(scene, rng)
    return min(one, other, key=lambda row: row.position).place


def renumbered_stream(scene: Scene, rng: Random) -> Place:
    """Count the versions of a stream from another number on from some event on."""
    row = rng.choice(_covered(scene))
    _shift_stream(scene, row, 1)
    return row.place


def renamed_stream(scene: Scene, rng: Random) -> Place:
    """Let a flow's events be those of a flow that never was."""
    row = rng.choice([row for row in _covered(scene) if row.version == 1])
    with scene.behind_its_back() as database:
        database.execute(
            "UPDATE stored_events SET originator_id='id-0' WHERE originator_id=?", (row.flow_id,)
        )
    return evolve(row.place, flow_id="id-0")


def truncated_tail(scene: Scene, rng: Random) -> Place:
    """Cut the log off within what is covered."""
    row = rng.choice(_covered(scene))
    with scene.behind_its_back() as database:
        database.execute("DELETE FROM stored_events WHERE rowid>=?", (row.position,))
    cover_up(scene, rng)
    return row.place


def rolled_back(scene: Scene, rng: Random) -> Place:
    """Bring back a copy of the database that is older than the checkpoints, and write on in it."""
    shutil.copy(scene.older, scene.database)
    with closing(sqlite3.connect(scene.database)) as connection:
        size: int = connection.execute("SELECT max(rowid) FROM stored_events").fetchone()[0]
    if rng.random() < 0.5:  # every second time it has grown to its old size meanwhile
        with scene.behind_its_back() as database:
            database.execute(
                "INSERT INTO stored_events SELECT originator_id || '-', originator_version, topic,"
                " state FROM stored_events LIMIT ?",
                (scene.covered - size + rng.randrange(9),),
            )
    return Place(position=size + 1)
