"""The pages of several stores: each says of which it is, and a flow is found wherever it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
from attrs import evolve

from adapters.pages import create_pages_app
from adapters.store import StoreAuditLog, open_for_reading
from domain.application.ports import StoreUnavailable
from domain.flow.ids import FlowId
from domain.history.audit_log import AuditLog
from tests.pages.seeds import Seeds, sowing
from tests.pages.test_base_path import addresses
from tests.pages.test_program import PATIENCE, started
from tests.pages.workbench import PASSWORD, USER, Desk, basic, seen


@pytest.fixture
def other(tmp_path: Path) -> Iterator[AuditLog]:
    """Another store, with one flow."""
    url = f"sqlite:///{tmp_path / 'b.db'}"
    with sowing(url, first=5000) as seeder:
        seeder.create("Water the other plants")
    with closing(open_for_reading(url)) as store:
        yield StoreAuditLog(store)


@pytest.fixture
def away(other: AuditLog) -> FlowId:
    """The flow that is in the other store."""
    (flow,) = other.page(None, limit=1, before=None, status=None).flows
    return flow.flow_id


@pytest.fixture
def both(desk: Desk, other: AuditLog) -> Desk:
    """The pages over both."""
    first = evolve(desk.given, shard="first")
    desk.app = create_pages_app(first, evolve(first, shard="b", audit_log=other))
    return desk


@pytest.mark.parametrize("path", ["/", "/health", "/refusals"])
def test_each_page_says_of_which_store_it_is_and_leads_to_the_others(both: Desk, path: str) -> None:
    assert both.get(path).headers["location"] == f"/shards/first{path}"
    for name in ("first", "b"):
        page = both.page(f"/shards/{name}{path}")
        assert f"Of shard {name} alone" in seen(page).text
        assert {f"/shards/{each}{path}" for each in ("first", "b")} <= set(seen(page).links)
        assert re.findall(r'aria-current="true">([^<]*)<', page) == [f"shard {name}"]
        for address in addresses(page):
            assert address.startswith(("/shards/", "/style.css", "/icon.svg")), address


def test_a_flow_is_found_by_its_id_in_whichever_store_it_is(
    both: Desk, seeds: Seeds, away: FlowId
) -> None:
    there = f"/shards/b/flows/{away}"
    assert both.get(f"/shards/first/?q={away}").headers["location"] == there
    assert both.get(f"/shards/first/flows/{away}").headers["location"] == there
    assert both.get(f"/shards/b/?q={seeds.busy}").headers["location"] == (
        f"/shards/first/flows/{seeds.busy}"
    )
    assert "Water the other plants" in both.page(there)
    assert both.get("/shards/b/flows/none").status_code == 404
    assert both.get("/shards/c/").status_code == 404


def test_a_list_is_of_its_store(both: Desk) -> None:
    assert "1 flow found among the 1 flow looked at" in seen(both.page("/shards/b/?q=plants")).text
    assert "Water the other plants" not in both.page("/shards/first/")


class _Gone:
    def __getattr__(self, name: str) -> object:
        raise StoreUnavailable("its disk is gone")


def test_a_store_that_is_gone_is_named_where_it_was_not_looked_in(both: Desk) -> None:
    first = evolve(both.given, shard="first")
    gone: AuditLog = _Gone()  # type: ignore[assignment] # it has nothing of one
    both.app = create_pages_app(first, evolve(first, shard="b", audit_log=gone))
    assert both.get("/shards/b/").status_code == 503
    assert "not looked for in shard b" in seen(both.page("/shards/first/?q=none")).text
    missed = both.get("/shards/first/flows/none")
    assert (missed.status_code, "shard b cannot be read now" in missed.text) == (503, True)


def test_the_program_serves_what_is_there_and_the_rest_when_it_is(tmp_path: Path) -> None:
    document = {
        "store": {"url": "sqlite:///a.db", "shards": [{"name": "b", "url": "sqlite:///b.db"}]},
        "audit": {"pages": {"password": "${PAGES_PASSWORD}"}},
    }
    config = tmp_path / "gateway.json5"
    config.write_text(json.dumps({"taskflow": document}), encoding="utf-8")
    away = tmp_path / "away.db"
    for path in (tmp_path / "a.db", away):
        with sowing(f"sqlite:///{path}") as seeder:
            seeder.create(f"A flow of {path.name}")
    with started(config, environ={"PAGES_PASSWORD": PASSWORD}, arguments=[]) as process:
        try:
            assert process.stdout is not None
            place = re.fullmatch(r"listening on http://(.+):(\d+)\n", process.stdout.readline())
            assert place is not None
            with closing(HTTPConnection(place[1], int(place[2]), timeout=PATIENCE)) as asked:
                assert _page(asked, "first") == (200, "A flow of a.db")
                assert _page(asked, "b")[0] == 503
                away.rename(tmp_path / "b.db")
                assert _page(asked, "b") == (200, "A flow of away.db")
        finally:
            process.terminate()
        _, log = process.communicate(timeout=PATIENCE)
    assert re.search(r"shard b: .*b\.db: no such file", log)


def _page(asked: HTTPConnection, shard: str) -> tuple[int, str]:
    asked.request("GET", f"/shards/{shard}/", headers=basic(USER, PASSWORD))
    answer = asked.getresponse()
    return answer.status, "".join(re.findall("A flow of [a-z.]+", answer.read().decode())[:1])
