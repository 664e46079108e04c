"""Between what the core knows and what the recorder keeps: names, bytes, and both ways."""

from __future__ import annotations

from typing import Any

import orjson
from eventsourcing.persistence import Mapper, StoredEvent, Transcoder

from adapters.store.codec import StoredFields, Undecodable, from_fields, to_fields
from adapters.store.names import CLASSES, NAMES, SNAPSHOT, upcast
from adapters.store.snapshot import FlowSnapshot, Stored
from domain.application.recorded_events import Metadata, RecordedEvent
from domain.flow.evolve import BrokenHistory
from domain.flow.ids import FlowId
from domain.flow.state import Flow


class OrjsonTranscoder(Transcoder):
    """Plain JSON objects as UTF-8 bytes."""

    def encode(self, obj: Any) -> bytes:  # noqa: ANN401 - the library's signature
        """Return the compact JSON of an object."""
        return orjson.dumps(obj)

    def decode(self, data: bytes) -> Any:  # noqa: ANN401 - the library's signature
        """Return the object of some JSON."""
        return orjson.loads(data)


class FlowMapper(Mapper[str]):
    """Writes events as `{"event": ..., "metadata": ...}` under permanent names, and snapshots.

    The library's own mapper reads `vars(event)`, which slotted classes do not have, and skips
    their initialisers when loading. NOTE: the library only hands on what it is given, so a recorded
    event need not have the fields of its protocol; hence `Any`.
    """

    def to_stored_event(self, domain_event: Any) -> StoredEvent:  # noqa: ANN401 - see above
        """Return what the recorder keeps of a recorded event or a snapshot."""
        stored: Stored = domain_event
        name, fields = _described(stored)
        state = self.transcoder.encode(fields)
        if self.compressor:
            state = self.compressor.compress(state)
        if self.cipher:
            state = self.cipher.encrypt(state)
        return StoredEvent(stored.flow_id, stored.version, name, state)

    def to_domain_event(self, stored_event: StoredEvent) -> Any:  # noqa: ANN401 - see above
        """Return the recorded event or snapshot that the recorder kept.

        Raises:
            Undecodable: if the name is unknown or the bytes are not what we wrote.
        """
        try:
            return self._read(stored_event)
        except Exception as error:
            place = f"{stored_event.originator_id}/{stored_event.originator_version}"
            raise Undecodable(f"event {place} ({stored_event.topic}): {error}") from error

    def to_recorded_event(self, stored_event: StoredEvent) -> RecordedEvent:
        """Return the recorded event that lies in the table of events.

        Raises:
            Undecodable: if the name is unknown or the bytes are not what we wrote.
            BrokenHistory: if it is a snapshot.
        """
        found: Stored = self.to_domain_event(stored_event)
        if isinstance(found, FlowSnapshot):
            raise BrokenHistory(f"flow {found.flow_id}: a snapshot lies among its events")
        return found

    def _read(self, stored: StoredEvent) -> Stored:
        state = stored.state
        if self.cipher:
            state = self.cipher.decrypt(state)
        if self.compressor:
            state = self.compressor.decompress(state)
        fields = self.transcoder.decode(state)
        flow_id, version = FlowId(str(stored.originator_id)), stored.originator_version
        if stored.topic == SNAPSHOT:
            return FlowSnapshot(flow_id, version, from_fields(fields, Flow))
        if fields.keys() != {"event", "metadata"}:
            raise Undecodable("expected an event and its metadata, and nothing else")
        name, event = upcast(stored.topic, fields["event"])
        return RecordedEvent(
            flow_id=flow_id,
            version=version,
            event=from_fields(event, CLASSES[name]),
            metadata=from_fields(fields["metadata"], Metadata),
        )


class SnapshotMapper(FlowMapper):
    """Reads what lies in the table of snapshots."""

    def to_domain_event(self, stored_event: StoredEvent) -> FlowSnapshot:
        """Return the snapshot that the recorder kept.

        Raises:
            Undecodable: if the bytes are not what we wrote, or an event.
        """
        found: Stored = super().to_domain_event(stored_event)
        if not isinstance(found, FlowSnapshot):
            raise Undecodable(f"an event lies among the snapshots, of flow {found.flow_id}")
        return found


def _described(stored: Stored) -> tuple[str, StoredFields]:
    if isinstance(stored, FlowSnapshot):
        return SNAPSHOT, to_fields(stored.flow)
    fields = {"event": to_fields(stored.event), "metadata": to_fields(stored.metadata)}
    return NAMES[type(stored.event)], fields
