from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.flow.ids import FlowId
from domain.history.audit_log import LogEntry
from domain.tlog.leaves import leaf

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
ENTRIES = st.builds(
    LogEntry,
    position=st.just(1),
    flow_id=TEXTS,
    version=st.integers(1, 2**64 - 1),
    name=TEXTS,
    state=st.binary(max_size=5),
)


def test_a_leaf_is_written_as_its_documentation_says() -> None:
    entry = LogEntry(position=7, flow_id=FlowId("flöw"), version=258, name="made.v1", state=b"{}")
    assert leaf(entry) == (
        b"\x00\x00\x00\x05fl\xc3\xb6w"
        b"\x00\x00\x00\x00\x00\x00\x01\x02"
        b"\x00\x00\x00\x07made.v1"
        b"\x00\x00\x00\x02{}"
    )


@given(ENTRIES)
def test_a_leaf_reads_back_as_the_one_event_that_it_is_of(entry: LogEntry) -> None:
    assert _read(leaf(entry)) == entry


@given(ENTRIES, ENTRIES)
def test_two_events_have_the_same_leaf_only_if_they_are_the_same(
    one: LogEntry, two: LogEntry
) -> None:
    assert (leaf(one) == leaf(two)) == (one == two)


def _read(data: bytes) -> LogEntry:
    """Read a leaf by the table in its documentation, and nothing else."""
    flow_id, data = _part(data)
    version, data = int.from_bytes(data[:8]), data[8:]
    name, data = _part(data)
    state, data = _part(data)
    assert data == b""
    return LogEntry(
        position=1,
        flow_id=FlowId(flow_id.decode()),
        version=version,
        name=name.decode(),
        state=state,
    )


def _part(data: bytes) -> tuple[bytes, bytes]:
    end = 4 + int.from_bytes(data[:4])
    return data[4:end], data[end:]
