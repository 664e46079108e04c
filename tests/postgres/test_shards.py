"""Several gateways that divide the owners over several databases: all agree on who is where."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from adapters.store import has_flows_of, migrate, open_for_reading, owners_of_shards
from domain.flow.ids import Owner
from tests.postgres.server import new_database
from tests.whole.sharded import ShardedGateway, act, created, readiness, until_status

pytestmark = pytest.mark.full

OWNERS = tuple(f"owner-{number}" for number in range(6))


@pytest.fixture
def urls(server_url: str) -> Iterator[list[str]]:
    """The URLs of three stores."""
    with ExitStack() as stack:
        found = [stack.enter_context(new_database(server_url)) for _ in range(3)]
        for url in found:
            migrate(url)
        yield found


def test_two_gateways_that_see_new_owners_at_once_put_each_into_one_store(
    tmp_path: Path, urls: list[str]
) -> None:
    names = dict(zip(("b", "c"), urls[1:], strict=True))
    gateways = []
    for number, order in enumerate((("b", "c"), ("c", "b"))):  # so each would choose another one
        folder = tmp_path / str(number)
        folder.mkdir()
        shards = [{"name": name, "url": names[name]} for name in order]
        store = {"url": urls[0], "closed": True, "shards": shards}
        gateways.append(ShardedGateway(folder, store, OWNERS).gateway())
    with gateways[0] as one, gateways[1] as two:
        flows = {owner: {created(one, owner), created(two, owner)} for owner in OWNERS}
        for owner, expected in flows.items():
            for gateway in (one, two):
                listed = act(gateway, owner, "list_flows").result["flows"]
                assert {flow["flowId"] for flow in listed} == expected
    having = {owner: [] for owner in OWNERS}  # type: dict[str, list[str]]
    for url in urls:
        with closing(open_for_reading(url)) as store_at:
            for owner in OWNERS:
                if has_flows_of(store_at, Owner(f"agent:{owner}")):
                    having[owner].append(url)
    assert all(len(stores) == 1 for stores in having.values()), having
    with closing(open_for_reading(urls[0])) as first:
        assert sum(owners_of_shards(first).values()) == len(OWNERS)


def test_a_database_that_goes_takes_no_other_one_with_it(
    tmp_path: Path, server_url: str, urls: list[str]
) -> None:
    second = urls[1].rpartition("/")[2]
    sharded = ShardedGateway(tmp_path, {"url": urls[0], "shards": [{"name": "b", "url": urls[1]}]})
    with sharded.gateway() as gateway:
        flow = created(gateway, "bob")
        created(gateway, "ada")
        with psycopg.connect(server_url, autocommit=True) as connection:
            name = Identifier(second)
            connection.execute(SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                (second,),
            )
            until_status(gateway, "bob", 503)
            assert act(gateway, "bob", "create_flow", goal="another").status == 503
            created(gateway, "ada")
            assert readiness(gateway) == (200, ["shard-b"])
            connection.execute(SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
        listed = until_status(gateway, "bob", 200).result["flows"]
        assert [each["flowId"] for each in listed] == [flow]
        assert readiness(gateway) == (200, [])


def test_one_database_under_two_urls_is_one_store(tmp_path: Path, urls: list[str]) -> None:
    again = urls[0].replace("127.0.0.1", "localhost")
    assert again != urls[0]
    sharded = ShardedGateway(tmp_path, {"url": urls[0], "shards": [{"name": "b", "url": again}]})
    with sharded.gateway() as gateway:
        assert readiness(gateway) == (200, ["shard-b"])
        assert act(gateway, "ada", "create_flow", goal="one").status == 503
