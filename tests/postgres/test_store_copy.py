"""A store is copied to PostgreSQL and back, event for event, and nothing is lost on the way."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import psycopg
import pytest

from adapters.audit.keys import Signer
from adapters.store import (
    CopiedStore,
    EventSourcedStore,
    StoreFault,
    copy_store,
    open_for_reading,
    open_for_writing,
    rebuild,
    record_configuration,
    recording_refusals,
    store_copy,
)
from adapters.store.owner_shards import owners_of_shards, pin_to_shard
from adapters.store.store_copy import BESIDE, CARRIED, DERIVED, EVENTS, OWN
from domain.application.sessions import OwnerSession
from domain.flow.commands import SetWaiting
from domain.flow.ids import FlowId
from domain.flow.values import Json
from domain.history.configuration import Cause
from tests.postgres.commands import command
from tests.store.commits import commit, created, save
from tests.store.refused import a_call, no_fault
from tests.store.service import ORIGIN, OWNER, STRANGER, create, keyed, run, session
from tests.store.tables import HEALTHY, execute, rows

COPIED: Final = (EVENTS, *CARRIED)
COUNT: Final = 4
"""Events of the store below, in two sections."""


def _ignore(_done: int, _all: int) -> None:
    """Tell nobody."""


def copied(source: str, target: str) -> CopiedStore:
    return copy_store(source, target, _ignore)


def fill(store: EventSourcedStore) -> OwnerSession:
    """Make flows with tasks, large values and request keys."""
    owner = session(store)
    pin_to_shard(store, OWNER, "one")
    flow = FlowId(create(owner, keyed("k-1")).flow_id)
    owner.execute(run(flow, run_id="run-1"), keyed("k-2"))
    state = Json('"' + "ü" * 5000 + '\\u0000"')
    owner.execute(SetWaiting(flow_id=flow, expected_revision=0, state_json=state), ORIGIN)
    create(session(store, STRANGER, prefix="other"))
    return owner


@pytest.fixture
def source(tmp_path: Path) -> str:
    """The URL of a store in a file, with refusals and a configuration beside it."""
    url = f"sqlite:///{tmp_path}/source.db"
    with closing(open_for_writing(url)) as store:
        fill(store)
    with recording_refusals(url, most=2, on_fault=no_fault) as note:
        for number in range(3):
            note(a_call(number))
    record_configuration(url, lambda _: {"port": "1"}, at=7, cause=Cause.START)
    return url


@pytest.fixture
def small_sections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sections of two rows."""
    monkeypatch.setattr(store_copy, "SECTION", 2)


def back(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/back.db"


def dumped(url: str) -> Mapping[str, list[str]]:
    """Return the SQL of the rows of a store in a file, and of what stands beside it, by table."""
    found: dict[str, list[str]] = {}
    path = url.removeprefix("sqlite:///")
    for file, tables in ((path, (*COPIED, *DERIVED)), (f"{path}.refusals", tuple(BESIDE))):
        with closing(sqlite3.connect(file)) as connection:
            for table in tables:
                key = "rowid, *" if table == EVENTS else "*"
                query = f"SELECT {key} FROM {table}"  # noqa: S608 - names of ours
                found[table] = sorted(map(repr, connection.execute(query)))
    return found


@pytest.mark.usefixtures("small_sections")
def test_there_and_back_again_it_is_the_same_row_for_row(
    source: str, empty_url: str, tmp_path: Path
) -> None:
    there = copied(source, empty_url)
    assert (there.events, there.flows, there.resumed_after, there.differing) == (COUNT, 2, 0, {})
    with closing(open_for_reading(source)) as old, closing(open_for_reading(empty_url)) as new:
        for table in (*CARRIED, *DERIVED):
            assert rows(old, table) == rows(new, table), table
    assert copied(empty_url, back(tmp_path)).differing == {}
    assert dumped(back(tmp_path)) == dumped(source)
    assert sorted(path.name for path in tmp_path.glob("back*")) == ["back.db", "back.db.refusals"]


def test_a_copy_is_written_to_like_any_store(source: str, empty_url: str, tmp_path: Path) -> None:
    with closing(open_for_writing(source)) as store:
        before = create(session(store), keyed("k-1"))  # of the first version, which is long past
    copied(source, empty_url)
    copied(empty_url, back(tmp_path))
    for url in (empty_url, back(tmp_path)):
        with closing(open_for_writing(url)) as store:
            assert create(session(store), keyed("k-1")) == before
            create(session(store, prefix="later"))
            with store.application.datastore.reading() as cursor:
                cursor.execute("SELECT rowid FROM stored_events ORDER BY rowid")
                assert [row[0] for row in cursor.fetchall()] == list(range(1, COUNT + 2))
            assert rebuild(store).changed == HEALTHY
        with recording_refusals(url, most=100, on_fault=no_fault) as note:
            note(a_call(9))
        record_configuration(url, lambda _: {"port": "2"}, at=8, cause=Cause.RELOAD)


class _Stopped(Exception):  # noqa: N818 - it is no error
    pass


@pytest.mark.usefixtures("small_sections")
@pytest.mark.parametrize("kind", ["database", "file"])
def test_a_copy_that_was_stopped_is_no_store_yet_and_goes_on_where_it_was(
    source: str, kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    target = request.getfixturevalue("empty_url") if kind == "database" else back(tmp_path)

    def stop(done: int, _all: int) -> None:
        if done == 2:
            raise _Stopped

    with suppress(_Stopped):
        copy_store(source, target, stop)
    with pytest.raises(StoreFault, match=r"half-made copy|no such file"):
        open_for_reading(target)
    done = copied(source, target)
    assert (done.resumed_after, done.events) == (2, COUNT)
    with closing(open_for_reading(target)) as store:
        assert len(rows(store, EVENTS)) == COUNT


@pytest.mark.usefixtures("small_sections")
def test_a_copy_that_was_begun_of_another_store_is_refused(
    source: str, empty_url: str, tmp_path: Path
) -> None:
    other = f"sqlite:///{tmp_path}/other.db"
    with closing(open_for_writing(other)) as store:
        for number in range(5):
            save(store, commit(None, created(FlowId(f"another-{number}"))))

    def stop(_done: int, _all: int) -> None:
        raise _Stopped

    with suppress(_Stopped):
        copy_store(other, empty_url, stop)
    with pytest.raises(StoreFault, match="half-made copy of another store"):
        copied(source, empty_url)


@pytest.mark.usefixtures("small_sections")
def test_of_two_who_copy_at_once_one_is_refused_and_the_copy_is_right(
    source: str, empty_url: str
) -> None:
    def copy_too(done: int, _all: int) -> None:
        if done == 2:
            copied(source, empty_url)

    with pytest.raises(StoreFault, match="somebody else writes to the copy"):
        copy_store(source, empty_url, copy_too)
    with closing(open_for_writing(empty_url)) as store:
        assert len(rows(store, EVENTS)) == COUNT
        assert rebuild(store).changed == HEALTHY


def test_an_event_that_was_changed_in_a_copy_is_found(source: str, empty_url: str) -> None:
    def meddle(_done: int, _all: int) -> None:
        with psycopg.connect(empty_url, autocommit=True) as connection:
            connection.execute(
                "UPDATE stored_events SET state = state || ' ' WHERE notification_id = 2"
            )

    with pytest.raises(StoreFault, match="the copy differs from its source"):
        copy_store(source, empty_url, meddle)
    with pytest.raises(StoreFault, match="half-made copy"):
        open_for_writing(empty_url)


def test_a_database_that_holds_anything_is_refused_and_left(
    source: str, own_url: str, tmp_path: Path
) -> None:
    with closing(open_for_writing(own_url)) as store:
        save(store, commit(None, created()))
        with pytest.raises(StoreFault, match=r"holds a store \(stored_events\)"):
            copied(source, own_url)
        save(store, commit(None, created(FlowId("flow-2"))))
    (tmp_path / "back.db").write_bytes(b"mine")
    with pytest.raises(StoreFault, match=r"back.db: exists already"):
        copied(source, back(tmp_path))
    assert (tmp_path / "back.db").read_bytes() == b"mine"


@pytest.mark.parametrize("beside", ["back.db-wal", "back.db-journal", "back.db.refusals-wal"])
def test_what_would_be_played_back_into_a_copy_is_refused_and_left(
    source: str, tmp_path: Path, beside: str
) -> None:
    (tmp_path / beside).write_bytes(b"of another file")
    with pytest.raises(StoreFault, match=rf"{beside}: belongs to a file that is not there"):
        copied(source, back(tmp_path))
    assert [path.name for path in tmp_path.glob("back*")] == [beside]


def test_a_gateway_that_runs_on_the_target_writes_nothing_into_a_copy(
    source: str, own_url: str
) -> None:
    with closing(open_for_writing(own_url)) as store:

        def write(_done: int, _all: int) -> None:
            with pytest.raises(Exception, match=r"no rows|half-made copy|lock timeout"):
                save(store, commit(None, created()))

        copy_store(source, own_url, write)
        assert len(rows(store, EVENTS)) == COUNT


def test_a_store_of_an_older_release_lacks_tables_and_is_copied(
    source: str, empty_url: str
) -> None:
    with closing(sqlite3.connect(source.removeprefix("sqlite:///"))) as connection:
        for table in ("owner_shards", "view_format", "flow_views", "flow_values", "past_flows"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("PRAGMA user_version = 1")
    done = copied(source, empty_url)
    assert (done.events, done.differing) == (COUNT, {})
    with closing(open_for_reading(empty_url)) as store:
        assert owners_of_shards(store) == {}


def test_rows_of_the_source_that_do_not_follow_from_its_events_are_counted(
    source: str, empty_url: str
) -> None:
    with closing(open_for_writing(source)) as store:
        execute(store, "UPDATE flow_index SET status='failed' WHERE position = 1")
    assert set(copied(source, empty_url).differing) == {"flow_index"}
    with closing(open_for_writing(empty_url)) as store:
        assert rebuild(store).changed == HEALTHY


def test_every_table_is_copied_or_made_again_or_nothing_is(
    source: str, own_url: str, empty_url: str
) -> None:
    known = {EVENTS, *CARRIED, *BESIDE, *DERIVED, *OWN}
    with psycopg.connect(own_url) as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname='public'")
        assert {name for (name,) in found} == known
    with closing(open_for_writing(source)) as store:
        execute(store, "CREATE TABLE news (flow_id TEXT)")
    with pytest.raises(StoreFault, match="has news, which this release does not copy"):
        copied(source, empty_url)


@pytest.mark.full
def test_a_checkpoint_made_before_verifies_against_each_copy(
    source: str, empty_url: str, tmp_path: Path
) -> None:
    key = Signer.generate("flows.example")
    (tmp_path / "key").write_text(key.secret_text())
    (tmp_path / "key").chmod(0o600)
    file = str(tmp_path / "log.checkpoints")
    signed = command(
        *("audit", "checkpoint", "--database", source, "--checkpoints", file),
        *("--key", str(tmp_path / "key")),
    )
    assert signed.returncode == 0, signed.stderr
    for target in ((source, empty_url), (empty_url, back(tmp_path))):
        moved = command("store", "copy", "--from", target[0], "--to", target[1])
        assert moved.returncode == 0, moved.stderr
        assert moved.stdout == "Copied 4 events of 2 flows; each is the same in both stores.\n"
        options = ["--checkpoints", file, "--public-key", str(key.verifier)]
        verified = command("audit", "verify", "--database", target[1], *options)
        assert verified.returncode == 0, verified.stdout + verified.stderr


def test_bad_urls_are_refused_with_a_sentence(source: str) -> None:
    for words, said in (
        (("--from", source, "--to", "flows.db"), "--to: expected"),
        (("--from", "sqlite:///none.db", "--to", "sqlite:///new.db"), "none.db: no such file"),
        (("--from", source, "--to", source), "exists already"),
        (("--from", source, "--to", "sqlite://:memory:"), "ends with its process"),
    ):
        done = command("store", "copy", *words)
        assert done.returncode == 2
        assert said in done.stderr
    assert not Path("new.db").exists()
