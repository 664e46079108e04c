"""The events of a pack: each as it was stored, in order, and none missing between two."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from struct import pack as packed
from typing import Any, NamedTuple

from adapters.audit.pack.verifier.forms import (
    SURROGATE,
    Wrong,
    Wrongs,
    encode_base64,
    is_count,
    is_name,
    refuse,
)
from adapters.audit.pack.verifier.pack_files import EVENTS, Pack

LONGEST_LINE = 1 << 27
UNFIT = re.compile("[\n\r\t\ud800-\udfff]")
TAKEN = {"position", "flow_id", "flowId", "version", "name", "at", "data", "stored"}
# Readers and writers that are made once: making one takes longer than using it.
_read_fields = json.JSONDecoder(parse_constant=refuse).decode
_read_any = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=refuse).decode
_write = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_write_ascii = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


class PackedEvent(NamedTuple):
    """An event as it was stored; `position` is its place in the whole log, from 1."""

    position: int
    flow_id: str
    version: int
    name: str
    stored: bytes

    def leaf_hash(self) -> bytes:
        """Return the hash of its leaf: its flow, version, name and stored bytes."""
        flow_id, name = self.flow_id.encode(), self.name.encode()
        head = packed(">I", len(flow_id)) + flow_id + packed(">QI", self.version, len(name)) + name
        return sha256(b"\x00" + head + packed(">I", len(self.stored)) + self.stored).digest()

    def line(self) -> bytes:
        """Return its line, which is made of what was stored and of nothing else."""
        parts = (
            f'"position":{_json(self.position)},"flowId":{_json(self.flow_id)}',
            f'"version":{_json(self.version)},"name":{_json(self.name)}',
            *_readable(self.stored),
            f'"stored":"{encode_base64(self.stored)}"',
        )
        return "{{{}}}\n".format(",".join(parts)).encode()


def _readable(stored: bytes) -> list[str]:
    """Return who did what and when, in public names; nothing if the bytes are not of our form."""
    try:
        fields = _read_fields(stored.decode())
        event, metadata = dict(fields["event"]), dict(fields["metadata"])
        if not TAKEN.isdisjoint(metadata):
            return []
        at = _json(event.pop("at", None))
        who = (f"{_public(name)}:{_json(value)}" for name, value in metadata.items())
        data = (f"{_public(name)}:{_embedded(name, value)}" for name, value in event.items())
        return [f'"at":{at}', *who, '"data":{{{}}}'.format(",".join(data))]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []


@lru_cache(1024)
def _public(name: str) -> str:
    first, *rest = name.split("_")
    return _json(first + "".join(map(str.capitalize, rest)))


def _json(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return "{{{}}}".format(",".join(f"{_public(k)}:{_json(v)}" for k, v in value.items()))
    text = _write(value)
    return _write_ascii(value) if SURROGATE.search(text) else text


def _embedded(name: str, value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return what a field holds; callers' JSON, which is stored as its text, as it was sent."""
    if name.endswith("_json") and isinstance(value, str) and not UNFIT.search(value):
        try:
            _read_any(value)
        except (ValueError, RecursionError):
            return _json(value)
        return value
    return _json(value)


def check_events(pack: Pack) -> str:
    """Check that each event reads as it was stored, in order, in the range, and all if it is so."""
    chosen, wrongs, count = dict(pack.manifest["range"]), Wrongs(), 0
    first, last, flow = chosen.pop("first"), chosen.pop("last"), chosen.get("flowId")
    oldest, before = oldest_version(first, has_since="since" in chosen), first - 1
    for event, text in read_events(pack):
        count += 1
        if event.line() != text:
            wrongs.add(f"position {event.position}: its line is not what its stored bytes say")
        if not before < event.position <= last or flow not in {None, event.flow_id}:
            wrongs.add(f"position {event.position}: it is not in order, or not in the range")
        elif not chosen and event.position != before + 1:
            wrongs.add(f"{_span(before + 1, event.position - 1)} is left out")
        before = event.position
        if gap := add_version(pack.flows, event, oldest):
            wrongs.add(gap)
    if not chosen and before < last:
        wrongs.add(f"{_span(before + 1, last)} is left out")
    if count != pack.manifest["events"]:
        wrongs.add(f"there are {count} events, and the manifest says {pack.manifest['events']}")
    wrongs.check()
    found = f"{count} between positions {first} and {last} read as they were stored"
    by = ", ".join(f"{name} {value}" for name, value in chosen.items())
    return f"{found}; chosen by {by}" if chosen else f"{found}; none is left out"


def _span(first: int, last: int) -> str:
    return f"position {first}" if first == last else f"what stands from position {first} to {last}"


def oldest_version(first: int, *, has_since: bool) -> int | None:
    """Return the version that each flow begins with in a pack, None if any will do.

    A flow's events stand in the log in the order of their versions and of their times. So whatever
    they were chosen by, what is here of a flow has no gap, and its beginning if the log's is here.
    """
    return 1 if first == 1 and not has_since else None


def add_version(
    flows: dict[str, tuple[int, int]], event: PackedEvent, oldest: int | None
) -> str | None:
    """Add an event to the versions of each flow; return what is wrong if it is not the next one.

    `oldest` is the version that each flow begins with, None if any will do.
    """
    first, last = flows.get(event.flow_id, (event.version, (oldest or event.version) - 1))
    flows[event.flow_id] = first, event.version
    if event.version <= last:
        return f"flow {event.flow_id}: version {event.version} stands behind version {last}"
    if event.version > last + 1:
        return f"flow {event.flow_id}: {_versions(last + 1, event.version - 1)} left out"
    return None


def _versions(first: int, last: int) -> str:
    return f"version {first} is" if first == last else f"versions {first} to {last} are"


def read_events(pack: Pack) -> Iterator[tuple[PackedEvent, bytes]]:
    """Return the events, each with its line."""
    for number, text in pack.lines(EVENTS, LONGEST_LINE):
        try:
            read = _read_fields(text.decode())
            place = read["position"], read["flowId"], read["version"], read["name"]
            event = PackedEvent(*place, b64decode(read["stored"], validate=True))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Wrong(f"{EVENTS}, line {number}: it is not an event") from error
        are_counts = is_count(event.position) and is_count(event.version)
        if not (are_counts and is_name(event.flow_id) and is_name(event.name)):
            raise Wrong(f"{EVENTS}, line {number}: it is not an event")
        yield event, text
