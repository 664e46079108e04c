"""Several gateways that divide the owners over several databases: all agree on who is where."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from adapters.store import has_flows_of, migrate, open_for_reading, owners_of_shards
from domain.flow.ids import Owner
from tests.postgres.server import new_database
from tests.whole.sharded import ShardedGateway, act, created

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
