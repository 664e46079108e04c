"""Between what the core knows and what the recorder keeps: names, bytes, and both ways."""

from __future__ import annotations

from typing import Any, cast

import orjson
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, StoredEvent, Transcoder

from adapters.store.codec import StoredFields, Undecodable, from_fields, to_fields
from adapters.store.envelope import Envelope, FlowSnapshot, Stored, as_event
from adapters.store.names import CLASSES, NAMES, SNAPSHOT
from adapters.store.upcasting import upcast
from domain.application.recorded_events import Metadata
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
    """Writes envelopes as `{"event": ..., "metadata": ...}` under permanent names, and snapshots.

    The library's own mapper reads `vars(event)`, which slotted classes do not have, and skips
    their initialisers when loading.
    """

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        """Return what the recorder keeps of an envelope or a snapshot."""
        stored = cast("Stored", domain_event)
        name, fields = _described(stored)
        state = self.transcoder.encode(fields)
        if self.compressor:
            state = self.compressor.compress(state)
        if self.cipher:
            state = self.cipher.encrypt(state)
        return StoredEvent(stored.originator_id, stored.originator_version, name, state)

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[str]:
        """Return the envelope or snapshot that the recorder kept.

        Raises:
            Undecodable: if the name is unknown or the bytes are not what we wrote.
        """
        try:
            return as_event(self._read(stored_event))
        except Exception as error:
            place = f"{stored_event.originator_id}/{stored_event.originator_version}"
            raise Undecodable(f"event {place} ({stored_event.topic}): {error}") from error

    def _read(self, stored: StoredEvent) -> Stored:
        state = stored.state
        if self.cipher:
            state = self.cipher.decrypt(state)
        if self.compressor:
            state = self.compressor.decompress(state)
        fields = self.transcoder.decode(state)
        flow_id, version = str(stored.originator_id), stored.originator_version
        if stored.topic == SNAPSHOT:
            return FlowSnapshot(flow_id, version, from_fields(fields, Flow))
        if fields.keys() != {"event", "metadata"}:
            raise Undecodable("expected an event and its metadata, and nothing else")
        name, event = upcast(stored.topic, fields["event"])
        metadata = from_fields(fields["metadata"], Metadata)
        return Envelope(flow_id, version, from_fields(event, CLASSES[name]), metadata)


def _described(stored: Stored) -> tuple[str, StoredFields]:
    if isinstance(stored, FlowSnapshot):
        return SNAPSHOT, to_fields(stored.flow)
    fields = {"event": to_fields(stored.event), "metadata": to_fields(stored.metadata)}
    return NAMES[type(stored.event)], fields
