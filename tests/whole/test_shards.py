"""Owners that are divided over several stores: each stays in its own, and one that is gone is."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from tests.whole.gateway import GatewayFailedError
from tests.whole.metered import metrics_of
from tests.whole.sharded import ShardedGateway, act, created, readiness, until_status

pytestmark = pytest.mark.full

TWO = {"url": "sqlite:///one.db", "shards": [{"name": "b", "url": "sqlite:///two.db"}]}


def shards_of(sharded: ShardedGateway, *flows: str) -> list[str]:
    """Return the shard that has each flow."""
    named = {}
    for shard in ("first", *(each["name"] for each in sharded.store.get("shards", ()))):  # type: ignore[attr-defined]
        for flow in sharded.printed("flows", "list", "--shard", shard)["flows"]:
            named[flow["flowId"]] = shard
    return [named[flow] for flow in flows]


def test_owners_are_divided_and_the_commands_see_all_of_them(tmp_path: Path) -> None:
    sharded = ShardedGateway(tmp_path, TWO)
    with sharded.gateway() as gateway:
        flows = [created(gateway, "ada"), created(gateway, "bob"), created(gateway, "ada")]
        assert act(gateway, "bob", "get_flow", flowId=flows[0]).result["flow"] is None
        assert act(gateway, "ada", "get_flow", flowId=flows[0]).result["flow"] is not None
        assert readiness(gateway) == (200, [])
    assert shards_of(sharded, *flows) == ["first", "b", "first"]

    listed = sharded.printed("flows", "list")["flows"]
    assert [flow["flowId"] for flow in listed] == flows[::-1]
    for flow in flows:
        assert sharded.printed("flows", "show", flow)["flow"]["flowId"] == flow
    assert sharded.command("flows", "cancel", flows[1]).returncode == 0
    found = sharded.printed("audit", "replay")["shards"]
    assert {name: report["events"] for name, report in found.items()} == {"first": 2, "b": 3}


def test_a_list_goes_on_in_each_store_where_it_was_cut(tmp_path: Path) -> None:
    sharded = ShardedGateway(tmp_path, TWO)
    with sharded.gateway() as gateway:
        flows = [created(gateway, route) for route in ("ada", "bob", "bob", "ada", "bob")]
    seen: list[str] = []
    cursor: list[str] = []
    for _ in flows:
        page = sharded.printed("flows", "list", "--limit", "2", *cursor)
        seen += [flow["flowId"] for flow in page["flows"]]
        if "nextCursor" not in page:
            break
        cursor = ["--cursor", page["nextCursor"]]
    assert seen == flows[::-1]


def test_each_log_has_checkpoints_of_its_own(tmp_path: Path) -> None:
    sharded = ShardedGateway(tmp_path, TWO)
    with sharded.gateway() as gateway:
        created(gateway, "ada"), created(gateway, "bob")
    signed = sharded.printed("audit", "checkpoint")["shards"]
    assert {name: made["origin"] for name, made in signed.items()} == {
        "first": "flows.example",
        "b": "flows.example/b",
    }
    assert (tmp_path / "taskflow.b.checkpoints").exists()
    found = sharded.printed("audit", "verify")["shards"]
    assert [log["agreed"] for log in found.values()] == [1, 1]

    both = (tmp_path / "taskflow.checkpoints", tmp_path / "taskflow.b.checkpoints")
    both[0].write_bytes(both[1].read_bytes())  # what a forger would put there
    forged = sharded.command("audit", "verify")
    assert forged.returncode in {1, 2}
    assert "shard first" in (forged.stdout + forged.stderr).lower()


def test_a_store_that_is_gone_takes_no_other_one_with_it(tmp_path: Path) -> None:
    sharded = ShardedGateway(tmp_path, TWO)
    with sharded.gateway() as gateway:
        flows = [created(gateway, "ada"), created(gateway, "bob")]
    two = tmp_path / "two.db"
    away = two.rename(tmp_path / "away.db")
    with sharded.gateway() as gateway:
        assert readiness(gateway) == (200, ["shard-b"])
        assert act(gateway, "ada", "get_flow", flowId=flows[0]).status == 200
        assert act(gateway, "bob", "list_flows").status == 503
        assert act(gateway, "bob", "get_flow", flowId=flows[1]).status == 503
        assert act(gateway, "bob", "create_flow", goal="another").status == 503
        assert not two.exists(), "an empty store was made in the place of the one that is gone"
        away.rename(two)
        answer = until_status(gateway, "bob", 200)
        assert [flow["flowId"] for flow in answer.result["flows"]] == [flows[1]]
        assert readiness(gateway) == (200, [])


def test_figures_are_of_each_store_and_gone_with_it(tmp_path: Path) -> None:
    sharded = ShardedGateway(tmp_path, TWO)
    with sharded.gateway() as gateway:
        created(gateway, "ada"), created(gateway, "bob"), created(gateway, "bob")
        for name, events in (("first", 1), ("b", 2)):
            metrics = metrics_of(gateway)
            assert metrics.value("taskflow_events_total", shard=name) == events
            assert metrics.value("taskflow_log_position", shard=name) == events
            assert metrics.value("taskflow_commit_seconds_count", shard=name) == events
            assert metrics.value("taskflow_batch_commands_sum", shard=name) == events
            assert metrics.value("taskflow_store_free_bytes", shard=name) > 0
            sharded.printed("audit", "checkpoint", "--shard", name)
            assert metrics_of(gateway).value("taskflow_checkpoint_age_seconds", shard=name) >= 0
    (tmp_path / "two.db").unlink()
    with sharded.gateway() as gateway:
        metrics = metrics_of(gateway)
        assert metrics.value("taskflow_log_position", shard="first") == 1
        assert math.isnan(metrics.value("taskflow_log_position", shard="b"))


def test_commands_show_what_is_in_the_stores_that_are_there(tmp_path: Path) -> None:
    sharded = ShardedGateway(tmp_path, TWO)
    with sharded.gateway() as gateway:
        flows = [created(gateway, "ada"), created(gateway, "bob")]
    for gone, there in (("two.db", 0), ("one.db", 1)):
        name = ("first", "b")[1 - there]
        away = (tmp_path / gone).rename(tmp_path / "away.db")
        listed = sharded.command("flows", "list", "--json")
        assert (listed.returncode, f"shard {name}: " in listed.stderr) == (2, True), listed.stderr
        document = json.loads(listed.stdout)
        assert [flow["flowId"] for flow in document["flows"]] == [flows[there]]
        assert document["unreadShards"] == [name]
        printed = sharded.command("flows", "list")
        assert f"Those of {name} are not among them." in printed.stdout
        assert sharded.command("flows", "show", flows[there]).returncode == 0
        unknown = sharded.command("flows", "show", flows[1 - there])
        assert (unknown.returncode, f"shard {name}: " in unknown.stderr) == (2, True)
        for words in (("audit", "replay"), ("audit", "log"), ("audit", "verify")):
            done = sharded.command(*words)
            assert (done.returncode, f"shard {name}: " in done.stderr) == (2, True), done.stderr
            assert f"Shard {('first', 'b')[there]}:" in done.stdout
        away.rename(tmp_path / gone)


@pytest.mark.parametrize(
    "words",
    [
        ("audit", "verify", "--checkpoints"),
        ("audit", "verify", "--held"),
        ("audit", "checkpoint", "--checkpoints"),
        ("audit", "log", "--cursor"),
        ("audit", "export", "events.ndjson", "--from"),
        ("audit", "export", "events.ndjson", "--to"),
    ],
    ids=" ".join,
)
def test_what_is_of_one_log_is_not_held_against_another(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = ShardedGateway(tmp_path, TWO).command(*words, "2")
    said = f"taskflow: {words[-1]} is of one store: say which, --shard NAME\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)


def test_what_is_exported_of_a_flow_is_found_in_its_store(tmp_path: Path) -> None:
    sharded = ShardedGateway(tmp_path, TWO)
    with sharded.gateway() as gateway:
        flow = [created(gateway, "ada"), created(gateway, "bob")][1]
    file = tmp_path / "flow.ndjson"
    done = sharded.command("audit", "export", str(file), "--flow", flow)
    assert (done.returncode, done.stderr) == (0, "")
    assert [json.loads(line)["flowId"] for line in file.read_text().splitlines()] == [flow]


def test_a_new_store_takes_new_owners_and_no_old_one(tmp_path: Path) -> None:
    sharded = ShardedGateway(tmp_path, {"url": "sqlite:///one.db"})
    with sharded.gateway() as gateway:  # as it was before there were shards
        flows = [created(gateway, "ada"), created(gateway, "bob")]
    closed = {"name": "b", "url": "sqlite:///two.db", "closed": True}
    new = {"name": "c", "url": "sqlite:///three.db"}
    store = {"url": "sqlite:///one.db", "shards": [closed, new]}
    sharded.configure(store, ("ada", "bob", "cyd", "dan"))
    with sharded.gateway() as gateway:
        flows += [created(gateway, route) for route in ("ada", "bob", "cyd", "dan")]
    assert shards_of(sharded, *flows) == [*["first"] * 4, "c", "c"]


def test_a_reload_places_a_new_owner_and_leaves_the_stores(tmp_path: Path) -> None:
    sharded = ShardedGateway(tmp_path, TWO)
    with sharded.gateway() as gateway:
        created(gateway, "ada")
        sharded.configure({**TWO, "closed": True}, ("ada", "bob", "cyd"))
        done = sharded.command("reload")
        assert done.returncode == 0, done.stderr
        assert "taskflow.store.closed" in done.stdout  # what only a restart changes
        flow = created(gateway, "cyd")
    assert shards_of(sharded, flow) == ["first"]


def test_a_store_that_has_owners_is_not_left_out(tmp_path: Path) -> None:
    sharded = ShardedGateway(tmp_path, TWO)
    with sharded.gateway() as gateway:
        created(gateway, "bob")
    for store in (
        {"url": "sqlite:///one.db"},
        {**TWO, "shards": [{"name": "c", "url": "sqlite:///c.db"}]},
    ):
        sharded.configure(store, ("ada", "bob"))
        with pytest.raises(GatewayFailedError, match=r"store\.shards"):
            sharded.gateway().start()


def test_a_command_on_one_store_is_given_its_name(tmp_path: Path) -> None:
    sharded = ShardedGateway(tmp_path, TWO)
    with sharded.gateway() as gateway:
        created(gateway, "ada"), created(gateway, "bob")
    assert "--shard NAME, one of first, b" in sharded.command("store", "restore", "x.db").stderr
    assert "expected one of first, b" in sharded.command("flows", "list", "--shard", "c").stderr
    copies = sharded.printed("store", "backup", str(tmp_path / "copy.db"))["shards"]
    assert {Path(copy["file"]).name for copy in copies.values()} == {"copy.first.db", "copy.b.db"}
    one = sharded.command("audit", "export", str(tmp_path / "b.ndjson"), "--shard", "b")
    assert one.returncode == 0, one.stderr
    assert len((tmp_path / "b.ndjson").read_text(encoding="utf-8").splitlines()) == 1


def test_what_is_explained_is_looked_up_in_the_owners_store(tmp_path: Path) -> None:
    sharded = ShardedGateway(tmp_path, TWO)
    with sharded.gateway() as gateway:
        created(gateway, "ada")
        flow = created(gateway, "bob")
    payload = tmp_path / "payload.json"
    payload.write_text(f'{{"action": "get_flow", "flowId": "{flow}"}}', encoding="utf-8")
    done = sharded.command("explain", "--route", "bob", "--payload", str(payload))
    assert done.returncode == 0, done.stderr
    assert "a goal of bob" in done.stdout
