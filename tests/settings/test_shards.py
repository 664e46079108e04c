"""The stores over which the owners are divided, as a configuration names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.settings.workbench import loaded, one_route, refused

ONE = "sqlite:////data/one.db"
B = {"name": "b", "url": "sqlite:////data/two.db"}


def with_store(**store: object) -> dict[str, object]:
    return one_route() | {"taskflow": {"store": {"url": ONE, **store}}}


def test_one_store_is_the_first_and_only_one(tmp_path: Path) -> None:
    settings = loaded(tmp_path, one_route())
    assert [(shard.name, shard.url, shard.closed) for shard in settings.shards] == [
        ("first", settings.store, False)
    ]


def test_what_was_one_store_goes_on_as_the_first(tmp_path: Path) -> None:
    settings = loaded(tmp_path, with_store(closed=True, shards=[B]))
    first, second = map(settings.of_shard, settings.shards)
    assert (first.store, first.checkpoints) == (settings.store, settings.checkpoints)
    assert second.store.url == B["url"]
    assert second.checkpoints.file.name == "taskflow.b.checkpoints"
    assert [shard.closed for shard in settings.shards] == [True, False]


PLACE = "taskflow.store"


@pytest.mark.parametrize(
    ("store", "problem"),
    [
        ({"shards": [B, B]}, f"{PLACE}.shards: expected names that differ"),
        ({"shards": [{**B, "name": "first"}]}, f"{PLACE}.shards: expected names that differ"),
        ({"shards": [{**B, "url": ONE}]}, f"{PLACE}.shards: expected stores that differ"),
        ({"shards": [{**B, "url": "sqlite://:memory:"}]}, f"{PLACE}.shards: expected stores that"),
        ({"shards": [{**B, "name": "B"}]}, f"{PLACE}.shards[0].name: expected a name of at most"),
        ({"shards": [{"name": "b"}]}, f"{PLACE}.shards[0].url: expected a non-empty string"),
        ({"closed": True, "shards": [{**B, "closed": True}]}, f"{PLACE}.closed: expected a store"),
    ],
)
def test_shards_that_could_not_be_served_are_refused(
    tmp_path: Path, store: dict[str, object], problem: str
) -> None:
    assert any(found.startswith(problem) for found in refused(tmp_path, with_store(**store)))
