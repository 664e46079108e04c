"""Events written out: what stands in a line, and that a line says what was stored."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest
from attrs import evolve as replace

from adapters.audit.export.cloud_events import write_cloud_events
from adapters.audit.export.ndjson import write_ndjson
from adapters.presentation.printable import rfc_3339
from adapters.store import StoreAuditLog
from domain.application.recorded_events import Actor, ActorKind, RecordedEvent
from domain.history.audit_log import LogEntry, UnreadableEvent
from domain.history.selection import Selection
from tests.audit.logs import AS_SENT, OWNERS, busy_log
from tests.store.tables import execute

FORBIDDEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]")
"""What no String of CloudEvents may hold: spec §2, Type System."""


@pytest.fixture
def audit_log(tmp_path: Path) -> Iterator[StoreAuditLog]:
    with busy_log(tmp_path / "flows.db") as audit_log:
        yield audit_log


def ndjson(audit_log: StoreAuditLog, selection: Selection | None = None) -> list[str]:
    sink = io.BytesIO()
    meant = selection or whole(audit_log)
    count = write_ndjson(audit_log, meant, sink, progress=lambda _done, _total: None)
    lines = sink.getvalue().decode().splitlines()
    assert count == len(lines)
    return lines


def cloud_events(audit_log: StoreAuditLog) -> list[dict[str, Any]]:
    sink = io.BytesIO()
    write_cloud_events(
        audit_log, whole(audit_log), sink, source="urn:x", progress=lambda _done, _total: None
    )
    return [json.loads(line) for line in sink.getvalue().splitlines()]


def whole(audit_log: StoreAuditLog) -> Selection:
    return Selection(first=1, last=audit_log.size())


def test_a_line_says_who_did_what_when_and_why(audit_log: StoreAuditLog) -> None:
    flow = "00000000-0000-4000-8000-000000000001"
    assert json.loads(ndjson(audit_log)[4]) == {
        "position": 5,
        "flowId": flow,
        "version": 2,
        "revision": 1,
        "name": "taskflow.flow_began_waiting.v1",
        "at": 1_795_435_204_000,
        "recordedAt": 1_795_435_204_000,
        "actor": {"kind": "route", "name": "zapier", "keyId": "2026-01"},
        "requestId": "request-1",
        "correlationId": "request-1",
        "causationId": "request-1",
        "remoteAddress": "203.0.113.7",
        "rules": 2,
        "data": {"waitJson": json.loads(AS_SENT.text)},
    }


def test_callers_json_comes_back_to_the_byte(audit_log: StoreAuditLog) -> None:
    created, *_, waiting = ndjson(audit_log)[:5]
    assert f'"stateJson":{AS_SENT.text}}}' in created
    assert f'"waitJson":{AS_SENT.text}}}' in waiting


@pytest.mark.parametrize("text", ["1}\n{", "1\n", "NaN", "", "{"])
def test_what_is_no_json_forges_no_line(audit_log: StoreAuditLog, text: str) -> None:
    event, metadata = {"at": 1, "state_json": text}, json.loads(stored(audit_log, 5))["metadata"]
    state = json.dumps({"event": event, "metadata": metadata})
    execute(audit_log.store, "UPDATE stored_events SET state = ? WHERE rowid = 5", state.encode())
    with pytest.raises(UnreadableEvent, match="stateJson is no JSON"):
        ndjson(audit_log)
    with pytest.raises(UnreadableEvent, match="stateJson is no JSON"):
        cloud_events(audit_log)


def stored(audit_log: StoreAuditLog, position: int) -> bytes:
    (entry,) = audit_log.entries(position, position)
    return entry.state


def test_all_that_are_asked_for_are_written_in_order(audit_log: StoreAuditLog) -> None:
    at = [json.loads(line)["at"] for line in ndjson(audit_log)]
    flow = json.loads(ndjson(audit_log)[1])["flowId"]

    def positions(**choice: Any) -> list[int]:  # noqa: ANN401 - the fields of a selection
        lines = ndjson(audit_log, replace(whole(audit_log), **choice))
        return [json.loads(line)["position"] for line in lines]

    every = list(range(1, audit_log.size() + 1))
    assert positions() == every
    assert positions(first=3, last=7) == [3, 4, 5, 6, 7]
    assert positions(flow_id=flow, last=12) == [2, 6, 11, 12]
    assert positions(owner=OWNERS[0], last=8) == [1, 3, 5, 7]
    assert positions(owner=OWNERS[0], flow_id=flow) == []
    assert positions(since=at[4], until=at[7]) == [5, 6, 7]
    assert positions(since=at[-1] + 1) == []


def test_progress_ends_where_the_range_ends(audit_log: StoreAuditLog) -> None:
    told: list[tuple[int, int]] = []
    selection = Selection(first=3, last=12)
    write_ndjson(
        audit_log, selection, io.BytesIO(), progress=lambda done, total: told.append((done, total))
    )
    assert told == [(0, 10), (10, 10)]


def test_a_cloud_event_says_the_same(audit_log: StoreAuditLog) -> None:
    flow = "00000000-0000-4000-8000-000000000001"
    assert cloud_events(audit_log)[4] == {
        "specversion": "1.0",
        "id": f"{flow}/2",
        "source": "urn:x",
        "type": "taskflow.flow_began_waiting.v1",
        "subject": flow,
        "time": "2026-11-23T12:00:04.000Z",
        "datacontenttype": "application/json",
        "sequence": "0000000000000000005",
        "actorkind": "route",
        "route": "zapier",
        "keyid": "2026-01",
        "requestid": "request-1",
        "correlationid": "request-1",
        "causationid": "request-1",
        "remoteaddress": "203.0.113.7",
        "recordedtime": "2026-11-23T12:00:04.000Z",
        "data": {"waitJson": json.loads(AS_SENT.text)},
    }


def test_cloud_events_keep_the_rules_of_their_specification(audit_log: StoreAuditLog) -> None:
    written = cloud_events(audit_log)
    assert len({(event["source"], event["id"]) for event in written}) == audit_log.size()
    sequences = [event["sequence"] for event in written]
    assert sequences == sorted(sequences)
    for event in written:
        check(event)


def test_what_no_attribute_may_hold_is_written_out(audit_log: StoreAuditLog) -> None:
    (event,) = {json.dumps(e) for e in cloud_events(Renamed(audit_log.store))[:1]}
    check(json.loads(event))
    assert json.loads(event)["actor"] == "a\\u{a}b\\u{ffff}c\\u{1fffe}"


class Renamed(StoreAuditLog):
    """A store whose events were all caused by somebody with a name that no attribute may hold."""

    def read(self, entry: LogEntry) -> RecordedEvent:
        record = super().read(entry)
        actor = Actor(kind=ActorKind.OPERATOR, name="a\nb\uffffc\U0001fffe")
        return replace(record, metadata=replace(record.metadata, actor=actor))


def check(event: dict[str, Any]) -> None:
    """Check the rules of CloudEvents 1.0.2: §2 type system, §3 naming and required attributes."""
    attributes = {name: value for name, value in event.items() if name != "data"}
    assert attributes["specversion"] == "1.0"
    assert {"id", "source", "type"} <= {name for name, value in attributes.items() if value}
    for name, value in attributes.items():
        assert re.fullmatch("[a-z0-9]{1,20}", name), name
        assert isinstance(value, str), name
        assert not FORBIDDEN.search(value), name
    for name in ("time", "recordedtime"):
        assert datetime.fromisoformat(attributes[name]).tzinfo is not None


def test_a_moment_outside_of_four_digit_years_has_no_rfc_3339() -> None:
    assert rfc_3339(253_402_300_799_999) == "9999-12-31T23:59:59.999Z"
    assert rfc_3339(253_402_300_800_000) is None
