"""Between recorded events and bytes: permanent names, and a fault with its place for the rest."""

from __future__ import annotations

import re
import zlib
from contextlib import closing
from pathlib import Path
from typing import Final

import orjson
import pytest
from eventsourcing.persistence import Cipher, StoredEvent
from eventsourcing.utils import Environment
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.store import EventSourcedStore
from adapters.store.application import FlowApplication
from adapters.store.codec import Undecodable
from adapters.store.mapper import FlowMapper, OrjsonTranscoder
from adapters.store.names import SNAPSHOT
from adapters.store.snapshot import FlowSnapshot, Stored
from domain.application.recorded_events import RecordedEvent
from domain.flow.ids import FlowId, Owner
from domain.flow.state import Flow
from tests.store.commits import RESUMES, WAITS, commit, created, folded, save
from tests.store.strategies import TEXTS, events, instances
from tests.store.tables import EVENTS, SNAPSHOTS, rows

MAPPER: Final = FlowMapper(OrjsonTranscoder())
VERSIONS: Final = st.integers(min_value=1, max_value=2**31)
METADATA: Final = (
    b'{"recorded_at":1,"actor":{"kind":"system","name":"sweep"},"request_id":"r",'
    b'"correlation_id":"r","causation_id":"r"}'
)


class TurnedCipher(Cipher):
    """Turns every bit: unreadable enough to see whether it was used."""

    def __init__(self, environment: Environment) -> None:
        """Take the key from the settings, as the library's own cipher does."""
        self.key = int(environment.get("TURNED_KEY") or "0")

    def encrypt(self, plaintext: bytes) -> bytes:
        """Return the turned bytes."""
        return bytes(byte ^ self.key for byte in plaintext)

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Turn them back."""
        return self.encrypt(ciphertext)


@settings(deadline=None)
@given(instances(RecordedEvent, version=VERSIONS, event=events()))
def test_a_recorded_event_comes_back_as_it_was_stored(record: RecordedEvent) -> None:
    assert _there_and_back(record) == record


@settings(deadline=None)
@given(st.builds(FlowSnapshot, TEXTS, VERSIONS, instances(Flow)))
def test_a_snapshot_comes_back_as_it_was_stored(snapshot: FlowSnapshot) -> None:
    assert _there_and_back(snapshot) == snapshot


@pytest.mark.parametrize(
    ("topic", "state"),
    [
        ("taskflow.flow_cancelled.v2", b'{"event":{"at":1},"metadata":' + METADATA + b"}"),
        ("domain.flow.events:FlowCancelled", b'{"event":{"at":1},"metadata":' + METADATA + b"}"),
        ("", b'{"event":{"at":1},"metadata":' + METADATA + b"}"),
        (SNAPSHOT, b'{"event":{"at":1},"metadata":' + METADATA + b"}"),
        ("taskflow.flow_resumed.v1", b'{"event":{"at":1},"metadata":' + METADATA + b"}"),
        ("taskflow.flow_cancelled.v1", b'{"event":{"at":1,"x":1},"metadata":' + METADATA + b"}"),
        ("taskflow.flow_cancelled.v1", b'{"event":{"at":1},"metadata":' + METADATA + b',"x":1}'),
        ("taskflow.flow_cancelled.v1", b'{"event":{"at":1},"metadata":{}}'),
        ("taskflow.flow_cancelled.v1", b'{"event":{"at":1}}'),
        ("taskflow.flow_cancelled.v1", b'{"event":{"at":1e400},"metadata":' + METADATA + b"}"),
        ("taskflow.flow_cancelled.v1", b'{"event":{"at":1},"metadata":' + METADATA),
        ("taskflow.flow_cancelled.v1", b"[]"),
        ("taskflow.flow_cancelled.v1", b"null"),
        ("taskflow.flow_cancelled.v1", b""),
        ("taskflow.flow_cancelled.v1", b"\xff\xfe\x00garbage"),
        ("taskflow.flow_cancelled.v1", zlib.compress(b"{}")),
    ],
)
def test_bytes_that_we_did_not_write_are_a_fault_that_names_its_place(
    topic: str, state: bytes
) -> None:
    place = re.escape(f"event flow-1/7 ({topic}): ")
    with pytest.raises(Undecodable, match=f"^{place}."):
        MAPPER.to_domain_event(StoredEvent("flow-1", 7, topic, state))


def test_the_stored_form_is_plain_json_under_a_permanent_name() -> None:
    record = commit(folded(created()), WAITS).events[0]
    stored = MAPPER.to_stored_event(record)
    assert (stored.originator_id, stored.originator_version) == ("flow-1", 2)
    assert stored.topic == "taskflow.flow_began_waiting.v1"
    assert orjson.loads(stored.state) == {
        "event": {"at": 1_700_000_000_001},
        "metadata": {
            "recorded_at": 1_700_000_000_000,
            "actor": {"kind": "route", "name": "zapier", "key_id": "default"},
            "request_id": "request-1",
            "correlation_id": "request-1",
            "causation_id": "request-1",
            "remote_address": "203.0.113.7",
            "rules": 2,
        },
    }


@pytest.mark.parametrize(
    "setting",
    [
        {"COMPRESSOR_TOPIC": "eventsourcing.compressor:ZlibCompressor"},
        {"CIPHER_TOPIC": f"{__name__}:TurnedCipher", "TURNED_KEY": "255"},
        {
            "COMPRESSOR_TOPIC": "eventsourcing.compressor:ZlibCompressor",
            "CIPHER_TOPIC": f"{__name__}:TurnedCipher",
            "TURNED_KEY": "255",
        },
    ],
    ids=["compressed", "encrypted", "both"],
)
def test_compression_and_encryption_of_the_library_hold_for_events_and_snapshots(
    setting: dict[str, str], path: Path
) -> None:
    with closing(EventSourcedStore(_application(path, setting))) as store:
        first = folded(created())
        save(store, commit(None, created()))
        save(store, commit(first, WAITS, RESUMES))
        whole = folded(created(), WAITS, RESUMES)
        assert store.load(FlowId("flow-1")) == whole
        assert store.load(FlowId("flow-1"), 1) == first
        assert store.latest(Owner("agent:main:main")) == whole
        assert [record.event for record in store.history(FlowId("flow-1"))] == [
            created(),
            WAITS,
            RESUMES,
        ]
        states = [row[3] for table in (EVENTS, SNAPSHOTS) for row in rows(store, table)]
    for state in states:
        assert isinstance(state, bytes)
        assert b"at" not in state[:20]


def test_a_store_is_not_read_with_another_key(path: Path) -> None:
    setting = {"CIPHER_TOPIC": f"{__name__}:TurnedCipher"}
    with closing(EventSourcedStore(_application(path, {**setting, "TURNED_KEY": "255"}))) as store:
        save(store, commit(None, created()))
    with (
        closing(EventSourcedStore(_application(path, {**setting, "TURNED_KEY": "3"}))) as store,
        pytest.raises(Undecodable, match=r"event flow-1/1 \(taskflow\.flow_created\.v1\)"),
    ):
        store.load(FlowId("flow-1"))


def _there_and_back(stored: Stored) -> object:
    return MAPPER.to_domain_event(MAPPER.to_stored_event(stored))


def _application(path: Path, setting: dict[str, str]) -> FlowApplication:
    return FlowApplication(
        {
            "SQLITE_DBNAME": str(path),
            **setting,
        }
    )
