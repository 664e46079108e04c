"""The line of an event in a pack: readable where it can be, and never two things at once."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.audit.pack.verifier.events import PackedEvent
from adapters.store.names import SNAPSHOT
from domain.application.recorded_events import RecordedEvent
from domain.history.published import published_record
from tests.core.examples import EXAMPLES
from tests.store.golden_bytes import Golden, every_golden

PLACE = ("position", "flowId", "version", "name")

any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(["at", "goal", "state_json", "stored", "position", "actor"]) | st.text()
forged = st.builds(
    lambda event, metadata: json.dumps({"event": event, "metadata": metadata}).encode(),
    st.dictionaries(names, any_json | st.just(' {"a":\n1}'), max_size=4),
    st.dictionaries(names, any_json, max_size=4),
)


@pytest.mark.parametrize(
    "golden", [one for one in every_golden() if one.name != SNAPSHOT], ids=lambda one: one.name
)
def test_a_line_reads_as_the_other_exports_do(golden: Golden) -> None:
    loaded = golden.load()
    assert isinstance(loaded, RecordedEvent)
    event = PackedEvent(7, "flow-1", 1, golden.name, golden.stored.encode())
    written = json.loads(event.line())
    readable = published_record(loaded, lambda value: json.loads(value.text))
    assert {name: written[name] for name in readable} == readable
    assert written.keys() - readable.keys() == {"position", "flowId", "version", "name", "stored"}


@EXAMPLES
@given(stored=st.binary() | forged)
@example(stored=b'{"event":{"at":NaN},"metadata":{}}')
@example(stored=b'{"event":{"state_json":"\\ud800"},"metadata":{"\\ud800":"\\ud800"}}')
@example(stored=b'{"event":{"state_json":"1\\n"},"metadata":{"stored":""}}')
def test_whatever_is_stored_its_line_is_one_and_reads_back(stored: bytes) -> None:
    event = PackedEvent(7, "flow-1", 1, "taskflow.any.v1", stored)
    text = event.line()
    assert text.endswith(b"}\n")
    assert text.count(b"\n") == 1
    read = json.loads(text)
    place = tuple(read[name] for name in PLACE)
    assert (*place, base64.b64decode(read["stored"])) == event


@pytest.mark.parametrize(
    "value",
    [b"1e999", b'{"a":' * 2000 + b"0" + b"}" * 2000, b'{"a":' * 700 + b"0" + b"}" * 700],
    ids=["no number", "too deep to read", "too deep to write"],
)
def test_what_cannot_be_written_as_json_has_no_readable_form(value: bytes) -> None:
    stored = b'{"event":{"at":' + value + b'},"metadata":{}}'
    written = json.loads(PackedEvent(7, "flow-1", 1, "any.v1", stored).line())
    assert written.keys() == {"position", "flowId", "version", "name", "stored"}


def test_what_is_not_of_our_form_has_no_readable_form() -> None:
    assert PackedEvent(7, "flow-1", 1, "any.v1", b"\xff").line() == (
        b'{"position":7,"flowId":"flow-1","version":1,"name":"any.v1","stored":"/w=="}\n'
    )
