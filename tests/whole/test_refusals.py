"""What a real gateway refused is on disk when it stops, soon enough before, and never a secret."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from adapters.presentation.answer_codes import http_status
from adapters.store import StoredRefusals, read_refusals
from domain.history.refused_requests import RefusedRequest, Wanted
from tests.whole.callers import Answer, Caller, Document, Door, GoneError, Request
from tests.whole.canaries import MARK, SECRETS, configured, traces
from tests.whole.gateway import LOOK_EVERY_SECONDS, ROOT, RunningGateway
from tests.whole.stored import url_of

ALL = Wanted()
OWN = {"limits": {"rateRequests": 1_000_000, "inFlight": 100}}
BEHIND_SECONDS = 1.0
"""How far what is on disk may be behind what was answered."""


def refusals_of(gateway: RunningGateway) -> StoredRefusals:
    """Return the refusal log of a gateway, which may be running."""
    return read_refusals(url_of(gateway.database))


def kept(gateway: RunningGateway) -> Sequence[RefusedRequest]:
    """Return all calls that are kept, the newest first."""
    return [each.call for each in refusals_of(gateway).page(ALL, limit=1_000_000).calls]


def counts(gateway: RunningGateway) -> Counter[str]:
    """Return how often each code was counted, after a look at whether the totals add up."""
    refusals, found = refusals_of(gateway), Counter[str]()
    for total in refusals.totals(ALL):
        assert total.counted == total.kept + total.dropped
        found[total.code] += total.counted
    for turned in refusals.turned_away(ALL):
        found[turned.code] += turned.counted
    return found


def refused_in_many_ways(caller: Caller, times: int) -> Iterator[Answer]:
    """Have a gateway refuse a caller, again and again."""
    flow: Document = caller.act("create_flow", goal="g").result["flow"]
    at, key = {"flowId": flow["flowId"], "expectedRevision": 7}, f"key-{flow['flowId']}"
    caller.ask(Request({"action": "create_flow", "goal": "h"}, key))
    for _ in range(times):
        yield caller.act("set_waiting", **at)
        yield caller.act("cancel_flow", flowId="c28b9937-8980-43f8-8553-361a3e1dd4d5")
        yield caller.ask(Request({"action": "set_waiting", **at}, key))


def in_threads(gateway: RunningGateway, times: int) -> Sequence[Answer]:
    """Have a gateway refuse four callers at once; return all that they were answered."""

    def call() -> Sequence[Answer]:
        with Caller(gateway.place) as caller:
            return list(refused_in_many_ways(caller, times))

    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(call) for _ in range(4)]
        return [answer for future in futures for answer in future.result()]


def test_a_stop_leaves_on_disk_all_that_was_refused(tmp_path: Path) -> None:
    with RunningGateway.of_contract(tmp_path, OWN) as gateway:
        answers = list(in_threads(gateway, 10))
        stranger = Door(secret="a stranger's")
        with Caller(gateway.place, stranger) as caller:
            strangers = [caller.act("find_latest_flow") for _ in range(5)]
        assert gateway.stop() == 0
        calls = kept(gateway)
        expected = {
            (answer.request_id, answer.status, answer.document["code"]) for answer in answers
        }
        assert {(call.request_id, http_status(call.code), call.code) for call in calls} == expected
        assert [answer.status for answer in strangers] == [401] * 5
        assert counts(gateway) == Counter(
            revision_conflict=40, not_found=40, idempotency_key_reused=40, unauthorized=5
        )
        gateway.start()
        answers += in_threads(gateway, 1)
    assert {call.request_id for call in kept(gateway)} == {each.request_id for each in answers}
    assert "refusals" not in gateway.logs


def test_a_kill_costs_no_more_than_the_last_second(tmp_path: Path) -> None:
    with RunningGateway.of_contract(tmp_path, OWN) as gateway, ThreadPoolExecutor(1) as pool:
        answered: list[tuple[float, str]] = []

        def go_on() -> None:
            with Caller(gateway.place) as caller, suppress(GoneError):
                answers = refused_in_many_ways(caller, 1_000_000)
                answered.extend((time.monotonic(), answer.request_id) for answer in answers)

        calling = pool.submit(go_on)
        while not answered or answered[0][0] > time.monotonic() - 1.5 * BEHIND_SECONDS:
            time.sleep(LOOK_EVERY_SECONDS)
        gateway.kill()
        killed_at = time.monotonic()
        calling.result()
        found = {call.request_id for call in kept(gateway)}
        due = {request_id for at, request_id in answered if at < killed_at - BEHIND_SECONDS}
        assert len(due) > 0
        assert due <= found
        # NOTE: what was refused at the end may be on disk though its answer never arrived.
        assert len(found - {request_id for _, request_id in answered}) <= 1
        assert counts(gateway).total() == len(found)
        gateway.start()
        in_threads(gateway, 1)
        assert gateway.stop() == 0
        assert counts(gateway).total() == len(kept(gateway)) == len(found) + 12


def test_a_log_that_cannot_be_written_hurts_no_request_and_is_told_once(tmp_path: Path) -> None:
    gateway = RunningGateway.of_contract(tmp_path, OWN)
    place = gateway.database.with_name("taskflow.db.refusals")
    place.mkdir()
    with gateway:
        answers = in_threads(gateway, 10)
        assert Counter(answer.status for answer in answers) == {409: 40, 404: 40, 422: 40}
        assert gateway.stop() == 0
    told = [line for line in gateway.logs.splitlines() if "refusals not written" in line]
    assert [line.partition(" reason=")[2] for line in told] == [
        json.dumps(f"{place}: is not a file that can be read and written"),
        json.dumps("120 refusals were not written"),
    ]


def test_no_secret_no_body_and_no_key_is_in_the_log(tmp_path: Path) -> None:
    gateway = configured(tmp_path)
    door = Door("/plugins/webhooks/inline", SECRETS["inline"])
    with gateway, Caller(gateway.place, door) as caller:
        flow: Document = caller.act("create_flow", goal=MARK).result["flow"]
        wait = {"action": "set_waiting", "expectedRevision": 7, "stateJson": MARK}
        create = {"action": "create_flow", "goal": MARK}
        caller.ask(Request(create, MARK))
        for request in (
            Request({**wait, "flowId": SECRETS["inline"]}),
            Request({**wait, "flowId": MARK}),
            Request({**wait, "flowId": flow["flowId"], "currentStep": MARK}),
            Request({**wait, "flowId": flow["flowId"]}, MARK),
            Request({**create, "goal": "another"}, MARK),
            Request(
                {
                    "action": "update_task",
                    "flowId": flow["flowId"],
                    "taskId": MARK,
                    "status": "failed",
                }
            ),
        ):
            assert caller.ask(request).status in {404, 409, 422}
        deadline = time.monotonic() + BEHIND_SECONDS
        while len(kept(gateway)) < 6:
            assert time.monotonic() < deadline
        assert _traces(gateway) == []
    assert [call.flow_id for call in kept(gateway)][::-1] == [
        None,
        None,
        flow["flowId"],
        flow["flowId"],
        None,
        flow["flowId"],
    ]
    assert _traces(gateway) == []


def _traces(gateway: RunningGateway) -> list[tuple[str, str]]:
    files = list(gateway.folder.glob("taskflow.db.refusals*"))
    assert files
    return [(file.name, trace) for file in files for trace in traces(file.read_bytes())]


def test_the_command_shows_beside_the_gateway_what_is_kept_and_dropped(tmp_path: Path) -> None:
    own = {**OWN, "audit": {"refusals": 10}}
    with RunningGateway.of_contract(tmp_path, own) as gateway:
        in_threads(gateway, 1)
        deadline = time.monotonic() + BEHIND_SECONDS
        while counts(gateway).total() < 12:
            assert time.monotonic() < deadline
        database = ("--database", url_of(gateway.database))
        ended = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "app", "audit", "refusals", *database, "--json"],
            cwd=ROOT,
            env=os.environ,
            capture_output=True,
            text=True,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (0, "")
    document = json.loads(ended.stdout)
    assert len(document["refusals"]) == 10
    assert [(total["code"], total["counted"]) for total in document["totals"]] == [
        ("idempotency_key_reused", 4),
        ("not_found", 4),
        ("revision_conflict", 4),
    ]
    assert sum(total["dropped"] for total in document["totals"]) == 2
