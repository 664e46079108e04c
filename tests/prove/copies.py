"""A store of a million events, copied to PostgreSQL and back, and killed meanwhile.

The root of the tree of each store is the same, and the copy that came back has the same rows in all
tables, of which the caches were made again from the events.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Final
from uuid import uuid4

import psycopg
from attrs import frozen

from adapters.store import StoreAuditLog, open_for_reading, open_for_writing
from adapters.store.rebuild import derive
from adapters.store.store_copy import CARRIED, DERIVED, EVENTS
from bench.stores import long_flow, now, unsynced
from domain.application.sessions import TaskFlows
from domain.flow.ids import Owner
from domain.tlog.rebuild_tree import rebuild_tree
from tests.postgres.server import eventually, new_database, running_server
from tests.prove.result import Progress, Result, scaled
from tests.whole.gateway import ROOT

COUNT: Final = 1_000_000
EACH: Final = 20
"""Events of a flow."""

_PATTERNS: Final = 50
_LIKE: Final = (
    "INSERT INTO stored_events SELECT ?, originator_version, topic,"
    " CAST(replace(CAST(state AS TEXT), ?, ?) AS BLOB) FROM stored_events"
    " WHERE originator_id = ? ORDER BY originator_version"
)


def run(scale: float, progress: Progress) -> Result:
    """Prove that a store that went there and back is the same, whatever was killed on the way."""
    flows = scaled(COUNT // EACH, scale, least=100)
    with tempfile.TemporaryDirectory() as name, running_server() as server:
        first, last = (f"sqlite:///{name}/{file}.db" for file in ("first", "last"))
        _build(first, flows, progress)
        with new_database(server.url) as between:
            there = _copied(first, between, kill_at=flows * EACH // 2)
            back = _copied(between, last)
            roots = {_root(url) for url in (first, between, last)}
        violations = [] if len(roots) == 1 else ["the trees differ"]
        violations += [f"{table}: the rows differ" for table in _differing(name)]
    return Result(
        tried="a store copied to PostgreSQL, killed halfway, and back: one tree, the same rows",
        counts={
            "events": flows * EACH,
            "flows": flows,
            "went on after event": there.resumed_after,
            "seconds there, after the kill": round(there.seconds),
            "seconds back": round(back.seconds),
        },
        violations=tuple(violations),
    )


@frozen
class _Copied:
    resumed_after: int
    seconds: float


def _build(url: str, flows: int, progress: Progress) -> None:
    """Make flows that are all as the first ones, but for their ids: many times faster."""
    path = url.removeprefix("sqlite:///")
    with closing(open_for_writing(url)) as store, unsynced(store):
        owner = TaskFlows(store, now, lambda: str(uuid4())).bind_session(Owner("agent:many:main"))
        patterns = [long_flow(store, owner, EACH) for _ in range(_PATTERNS)]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA synchronous=OFF")
        for number in range(_PATTERNS, flows):
            pattern, flow_id = patterns[number % _PATTERNS], str(uuid4())
            connection.execute(_LIKE, (flow_id, pattern, flow_id, pattern))
            progress(number, flows)
    with closing(open_for_writing(url)) as store:
        derive(store, progress)


def _copied(source: str, target: str, kill_at: int | None = None) -> _Copied:
    """Copy a store; with `kill_at` the first attempt is killed once so many events are there."""
    words = ["store", "copy", "--from", source, "--to", target, "--json"]
    if kill_at is not None:
        with _taskflow(words) as begun:
            assert eventually(lambda: begun.poll() is not None or _events(target) >= kill_at)
            begun.kill()
    began = time.monotonic()
    with _taskflow(words) as process:
        printed, said = process.communicate()
    seconds = time.monotonic() - began
    if process.returncode != 0:
        raise RuntimeError(said)
    return _Copied(json.loads(printed)["resumedAfter"], seconds)


def _taskflow(words: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "app", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _events(url: str) -> int:
    with closing(psycopg.connect(url)) as connection:
        if connection.execute("SELECT to_regclass(%s)", (EVENTS,)).fetchone() == (None,):
            return 0
        found = connection.execute("SELECT max(notification_id) FROM stored_events").fetchone()
        return found[0] or 0 if found else 0


def _root(url: str) -> bytes:
    with closing(open_for_reading(url)) as store:
        return rebuild_tree(StoreAuditLog(store).entries()).root


def _differing(folder: str) -> Iterator[str]:
    """Give the tables of the two files that do not have the same rows at the same places."""
    with closing(sqlite3.connect(f"{folder}/first.db")) as connection:
        connection.execute("ATTACH ? AS copy", (f"{folder}/last.db",))
        for table in (EVENTS, *CARRIED, *DERIVED):
            rows = "rowid, *" if table == EVENTS else "*"
            for one, other in (("main", "copy"), ("copy", "main")):
                query = (
                    f"SELECT count(*) FROM (SELECT {rows} FROM {one}.{table}"  # noqa: S608 - names of ours
                    f" EXCEPT SELECT {rows} FROM {other}.{table})"
                )
                if connection.execute(query).fetchone() != (0,):
                    yield table
