"""`taskflow audit refusals` over a real log."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, NoReturn

import pytest

from adapters.cli import Dependencies
from adapters.store import recording_refusals
from domain.flow.ids import FlowId, KeyId, RequestId, RouteId
from domain.history.refused_requests import DAY, DeniedRequest, RefusedRequest, TurnedAway
from tests.cli.workbench import NOON, Ran, flow_id, seeding, taskflow

TABLE: Final = """\
Refused calls
When, answer, from          Route, key      Action, flow, request
────────────────────────────────────────────────────────────────────────────────
2026-11-24T12:00:00.000Z    zapier          set_waiting
404 not_found               2026-01         -
2001:db8:2001:db8:2001:db8                  request-4
:2001:db8
2026-11-23T12:00:00.007Z    n8n             cancel_flow
409 terminal                default         00000000-0000-4000-8000-000000000007
192.0.2.10                                  request-3

2 refused calls, and there are more: --cursor 3

Totals, 2026-11-23 to 2026-11-24
Route, key        Code                     Counted      Kept         Dropped
────────────────────────────────────────────────────────────────────────────────
n8n               terminal                 1            1            0
default
zapier            not_found                1            1            0
2026-01
zapier            terminal                 2            1            1
2026-01

Not let in, 2026-11-23
Route                                       Code                     Counted
────────────────────────────────────────────────────────────────────────────────
zapier                                      unauthorized             2
"""


FIRST = flow_id(1)


def a_call(  # noqa: PLR0913 - the fields of a call
    number: int,
    *,
    at: int = NOON,
    route: RouteId = RouteId("zapier"),
    key: KeyId = KeyId("2026-01"),
    code: str = "terminal",
    flow: FlowId | None = FIRST,
    action: str = "set_waiting",
    address: str | None = "192.0.2.10",
) -> RefusedRequest:
    """Return a refused call whose request has a number."""
    return RefusedRequest(
        at=at,
        route_id=route,
        key_id=key,
        action=action,
        code=code,
        flow_id=flow,
        request_id=RequestId(f"request-{number}"),
        remote_address=address,
    )


STRANGER: Final = TurnedAway(at=NOON, route_id=RouteId("zapier"), code="unauthorized")
REFUSED: Final[Sequence[DeniedRequest]] = (
    a_call(1),
    STRANGER,
    a_call(2),
    a_call(
        3,
        at=NOON + 7,
        route=RouteId("n8n"),
        key=KeyId("default"),
        flow=flow_id(7),
        action="cancel_flow",
    ),
    STRANGER,
    a_call(
        4,
        at=NOON + DAY,
        code="not_found",
        flow=None,
        address="2001:db8:2001:db8:2001:db8:2001:db8",
    ),
)


@pytest.fixture
def refused(url: str) -> str:
    """The URL of a store whose gateway refused four calls, and kept three."""
    with seeding(url), recording_refusals(url, most=3, on_fault=_fail) as note:
        for each in REFUSED:
            note(each)
    return url


def _fail(fault: Exception) -> NoReturn:
    raise AssertionError(fault)


def shown(tools: Dependencies, url: str, *argv: str) -> dict[str, list[dict[str, object]]]:
    """Return the JSON document of a command that found nothing wrong."""
    ran = taskflow(tools, "audit", "refusals", "--database", url, "--json", *argv)
    assert (ran.code, ran.err) == (0, "")
    document: dict[str, list[dict[str, object]]] = json.loads(ran.out)
    return document


def requests(tools: Dependencies, url: str, *argv: str) -> list[object]:
    """Return the requests that are shown."""
    return [call["requestId"] for call in shown(tools, url, *argv)["refusals"]]


def test_refusals_are_shown_with_their_totals(tools: Dependencies, refused: str) -> None:
    ran = taskflow(tools, "audit", "refusals", "--database", refused, "--limit", "2")
    assert ran == Ran(0, TABLE, "")


def test_refusals_in_json_have_the_names_of_the_wire(tools: Dependencies, refused: str) -> None:
    asked = ("--route", "n8n")
    day = NOON - DAY // 2
    assert shown(tools, refused, *asked) == {
        "refusals": [
            {
                "number": 3,
                "at": NOON + 7,
                "routeId": "n8n",
                "keyId": "default",
                "action": "cancel_flow",
                "code": "terminal",
                "status": 409,
                "flowId": flow_id(7),
                "requestId": "request-3",
                "remoteAddress": "192.0.2.10",
            }
        ],
        "totals": [
            {
                "day": day,
                "routeId": "n8n",
                "keyId": "default",
                "code": "terminal",
                "counted": 1,
                "kept": 1,
                "dropped": 0,
            }
        ],
        "turnedAway": [],
    }
    turned_away = [{"day": day, "routeId": "zapier", "code": "unauthorized", "counted": 2}]
    assert shown(tools, refused)["turnedAway"] == turned_away


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ((), [4, 3, 2]),
        (("--key", "2026-01"), [4, 2]),
        (("--code", "terminal"), [3, 2]),
        (("--flow", flow_id(1)), [2]),
        (("--since", "2026-11-23T12:00:00.001Z"), [4, 3]),
        (("--until", "2026-11-24"), [3, 2]),
        (("--cursor", "4", "--limit", "1"), [3]),
        (("--route", "nobody's"), []),
    ],
)
def test_refusals_are_filtered(
    tools: Dependencies, refused: str, argv: Sequence[str], expected: Sequence[int]
) -> None:
    assert requests(tools, refused, *argv) == [f"request-{number}" for number in expected]


def test_totals_are_left_out_where_they_would_be_those_of_something_else(
    tools: Dependencies, refused: str
) -> None:
    assert shown(tools, refused, "--flow", flow_id(1)).keys() == {"refusals"}
    assert shown(tools, refused, "--key", "2026-01")["turnedAway"] == []


def test_a_store_whose_gateway_refused_nothing_has_none(tools: Dependencies, seeded: str) -> None:
    assert taskflow(tools, "audit", "refusals", "--database", seeded) == Ran(
        0, "No refusals.\n", ""
    )
    assert shown(tools, seeded) == {"refusals": [], "totals": [], "turnedAway": []}


def test_a_total_that_does_not_add_up_is_a_finding(
    tools: Dependencies, refused: str, path: Path
) -> None:
    with closing(sqlite3.connect(f"{path}.refusals")) as log, log:
        log.execute("DELETE FROM refused_calls WHERE number = 3")
    ran = taskflow(tools, "audit", "refusals", "--database", refused)
    assert ran.code == 1
    assert ran.out.endswith(
        "\n2026-11-23, n8n, default, terminal does not add up: 1 counted, 0 kept, 0\n"
        "dropped. Somebody has changed the log.\n"
    )
    assert taskflow(tools, "audit", "refusals", "--database", refused, "--json").code == 1


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (
            ("--since", "yesterday"),
            (
                "argument --since: expected a time in UTC such as 2026-11-26T10:00:00Z,"
                " found 'yesterday' (see: taskflow audit refusals --help)"
            ),
        ),
        (
            ("--limit", "0"),
            (
                "argument --limit: expected a number from 1 to 1000, found '0'"
                " (see: taskflow audit refusals --help)"
            ),
        ),
    ],
)
def test_a_bad_argument_is_told_in_a_sentence(
    tools: Dependencies, refused: str, argv: Sequence[str], sentence: str
) -> None:
    ran = taskflow(tools, "audit", "refusals", "--database", refused, *argv)
    assert ran == Ran(2, "", f"taskflow: {sentence}\n")


def test_a_store_that_is_not_there_is_told_in_a_sentence(
    tools: Dependencies, url: str, path: Path
) -> None:
    ran = taskflow(tools, "audit", "refusals", "--database", url)
    assert ran == Ran(2, "", f"taskflow: {path}: no such file\n")


def test_a_damaged_log_is_told_in_a_sentence(tools: Dependencies, refused: str, path: Path) -> None:
    log = path.with_name(f"{path.name}.refusals")
    log.write_bytes(b"not a database, whatever it was")
    ran = taskflow(tools, "audit", "refusals", "--database", refused)
    sentence = f"{log}: cannot be read: file is not a database"
    assert (ran.code, ran.out) == (2, "")
    assert sentence in ran.err
