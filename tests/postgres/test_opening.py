"""A database is made a store by a command; whoever opens it checks it, and makes nothing."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing

import psycopg
import pytest
from attrs import evolve

from adapters.store import (
    EventSourcedStore,
    StoreFault,
    migrate,
    open_for_reading,
    open_for_writing,
)
from adapters.store.opening import open_existing
from adapters.store.postgres.schema import VERSION
from domain.application.ports import StoreUnavailable
from domain.flow.ids import FlowId, Owner
from tests.postgres.server import eventually
from tests.store.commits import commit, created, folded, save
from tests.whole.gateway import ROOT


def fault_of(store: EventSourcedStore) -> str:
    try:
        store.load(FlowId("flow-1"))
    except StoreUnavailable as error:
        return str(error)
    return ""


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize("open_it", [open_for_writing, open_existing, open_for_reading])
def test_an_empty_database_is_refused_with_the_command_to_run(
    empty_url: str, open_it: type[EventSourcedStore]
) -> None:
    with pytest.raises(StoreFault, match="holds no store: run taskflow store migrate"):
        open_it(empty_url)  # type: ignore[arg-type]  # any of them takes a URL
    with psycopg.connect(empty_url) as connection:
        tables = connection.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'public'")
        assert tables.fetchone() is None


def test_a_migration_makes_a_store_and_a_second_one_changes_nothing(empty_url: str) -> None:
    assert migrate(empty_url) == (0, VERSION)
    with closing(open_for_writing(empty_url)) as store:
        save(store, commit(None, created()))
    assert migrate(empty_url) == (VERSION, VERSION)
    with closing(open_for_reading(empty_url)) as store:
        assert store.load(FlowId("flow-1")) == folded(created())


def test_a_newer_store_is_refused_and_not_touched(own_url: str) -> None:
    execute(own_url, "UPDATE store_identity SET schema_version = schema_version + 1")
    execute(own_url, "ALTER FUNCTION append_batch RENAME TO append_batch_of_the_newer")
    for refuse in (open_for_writing, migrate):
        with pytest.raises(StoreFault, match=r"version \d+, this program knows .* newer release"):
            refuse(own_url)
    with psycopg.connect(own_url) as connection:
        made = connection.execute("SELECT 1 FROM pg_proc WHERE proname = 'append_batch'")
        assert made.fetchone() is None


def test_an_older_store_is_refused_until_it_is_migrated(own_url: str) -> None:
    execute(own_url, "UPDATE store_identity SET schema_version = schema_version - 1")
    with pytest.raises(StoreFault, match="run taskflow store migrate"):
        open_for_writing(own_url)


def test_tables_that_were_restored_without_their_rows_are_refused(own_url: str) -> None:
    execute(own_url, "DELETE FROM store_identity", "DELETE FROM log_head")
    for refuse in (open_for_writing, open_for_reading, migrate):
        with pytest.raises(StoreFault, match="tables without their rows"):
            refuse(own_url)


@pytest.mark.parametrize(
    ("setting", "found"),
    [
        ("default_transaction_isolation = 'repeatable read'", "has default_transaction_isolation"),
        ("lock_timeout = 0", "has lock_timeout 0 ms, not one from 1 to 10000"),
        ("statement_timeout = '1h'", "has statement_timeout 3600000 ms"),
        ("idle_in_transaction_session_timeout = 0", "has idle_in_transaction_session_timeout 0"),
        ("client_connection_check_interval = 0", "has client_connection_check_interval 0 ms"),
        ("standard_conforming_strings = off", "has standard_conforming_strings 'off', not 'on'"),
        ("array_nulls = off", "has array_nulls 'off', not 'on'"),
        ("synchronous_commit = off", "would not survive a power cut"),
        ("default_transaction_read_only = on", "may only read"),
    ],
)
def test_a_role_without_what_a_gateway_needs_is_refused(
    own_url: str, setting: str, found: str
) -> None:
    execute(
        own_url,
        f"ALTER ROLE CURRENT_USER SET {setting}",
        f"ALTER ROLE CURRENT_USER IN DATABASE {own_url.rpartition('/')[2]} SET {setting}",
    )
    with pytest.raises(StoreFault, match=found):
        open_for_writing(own_url)


@pytest.mark.parametrize(
    "setting",
    [
        "client_encoding = 'LATIN1'",
        "client_encoding = 'SQL_ASCII'",
        "bytea_output = 'escape'",
        "standard_conforming_strings = off",
        "array_nulls = off",
    ],
)
def test_a_migration_makes_a_role_fit_to_write_any_text(empty_url: str, setting: str) -> None:
    execute(empty_url, f"ALTER ROLE CURRENT_USER SET {setting}")
    migrate(empty_url)
    event = evolve(created(), owner=Owner("agent:漢字"), goal="\\x é 漢字 ' NULL")
    with closing(open_for_writing(empty_url)) as store:
        save(store, commit(None, event))
        assert store.load(FlowId("flow-1")) == folded(event)


def test_a_store_in_another_schema_than_the_roles_first_is_refused(own_url: str) -> None:
    role = own_url.rpartition("/")[2]
    execute(own_url, f"CREATE SCHEMA {role}")  # `search_path` begins with it: "$user", public
    for refuse in (open_for_writing, open_for_reading, migrate):
        with pytest.raises(StoreFault, match=rf"schema public, and .* begins with {role}: set it"):
            refuse(own_url)


def test_a_role_that_may_only_read_needs_no_settings(own_url: str, server_url: str) -> None:
    with closing(open_for_writing(own_url)) as store:
        save(store, commit(None, created()))
    reader = f"{own_url.rpartition('/')[2]}_reader"
    execute(server_url, f"CREATE ROLE {reader} LOGIN")
    try:
        execute(own_url, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}")
        url = own_url.replace("//" + own_url.partition("//")[2].partition("@")[0], f"//{reader}")
        with closing(open_for_reading(url)) as store:
            assert store.load(FlowId("flow-1")) == folded(created())
        with pytest.raises(StoreFault, match=r"has lock_timeout|has statement_timeout|has client_"):
            open_for_writing(url)
    finally:
        admin = f"{server_url.rpartition('/')[0]}/{own_url.rpartition('/')[2]}"
        execute(admin, f"DROP OWNED BY {reader}")
        execute(server_url, f"DROP ROLE {reader}")


def test_a_role_that_may_not_write_to_a_table_is_refused(own_url: str) -> None:
    role = own_url.rpartition("/")[2]
    execute(own_url, f"REVOKE INSERT, UPDATE ON flow_waits FROM {role}")
    with pytest.raises(StoreFault, match="may not write to the table flow_waits"):
        open_for_writing(own_url)
    with closing(open_for_reading(own_url)):
        pass


def test_a_store_may_be_in_a_schema_of_its_own(empty_url: str) -> None:
    name = empty_url.rpartition("/")[2]
    execute(
        empty_url,
        "CREATE SCHEMA flows",
        f"ALTER ROLE CURRENT_USER IN DATABASE {name} SET search_path = flows",
    )
    migrate(empty_url)
    with closing(open_for_writing(empty_url)) as store:
        save(store, commit(None, created()))
        assert store.load(FlowId("flow-1")) == folded(created())
    with psycopg.connect(empty_url) as connection:
        (count,) = connection.execute("SELECT count(*) FROM flows.stored_events").fetchone() or ()
    assert count == 1


def test_another_store_in_the_place_of_the_one_opened_is_not_used(own_url: str) -> None:
    store = open_for_writing(own_url)
    save(store, commit(None, created()))
    execute(
        own_url,
        "UPDATE store_identity SET store_id = gen_random_uuid()",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'taskflow' AND datname = current_database()",
    )
    assert eventually(lambda: "another store than the one opened" in fault_of(store))
    store.close()


def test_without_psycopg_the_extra_is_named() -> None:
    program = (
        "import sys; sys.modules['psycopg'] = None; from adapters.store import open_for_reading;"
        " open_for_reading('postgresql:///x')"
    )
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "StoreFault: PostgreSQL needs psycopg: install the extra `postgres`" in done.stderr


def test_a_server_that_is_not_there_is_a_fault_of_one_sentence() -> None:
    with pytest.raises(StoreFault, match=r"the database cannot be used: .*refused") as raised:
        open_for_writing("postgresql://nobody@127.0.0.1:1/none")
    assert "\n" not in str(raised.value)
    assert "\t" not in str(raised.value)
