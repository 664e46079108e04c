"""Packs from which somebody has cut events: their hashes stand among the stretches instead."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from adapters.audit.pack.verifier.events import PackedEvent
from domain.history.audit_log import LogEntry
from domain.tlog.leaves import entry_hash
from domain.tlog.omitted_ranges import OmittedEvents
from tests.audit.forgeries import EVENTS, STRETCHES, manifest, rehash
from tests.audit.packs import Signed


def cut(
    folder: Path, signed: Signed, keeps: Callable[[LogEntry], bool], **selection: int | str
) -> None:
    """Leave of a pack's events what is kept, and let the rest of the pack agree with that."""
    events, stretches, gap, count = BytesIO(), BytesIO(), OmittedEvents(), 0
    here = {json.loads(text)["position"] for text in (folder / EVENTS).read_bytes().splitlines()}

    def close() -> None:
        nonlocal gap
        for one in gap.ranges():
            hashed = b64encode(one.hash).decode()
            written = f'{{"first":{one.first},"last":{one.last},"hash":"{hashed}"}}\n'
            stretches.write(written.encode())
        gap = OmittedEvents()

    for entry in signed.audit_log.entries(1, _size(folder)):
        if entry.position in here and keeps(entry):
            close()
            place = entry.position, entry.flow_id, entry.version, entry.name
            events.write(PackedEvent(*place, entry.state).line())
            count += 1
        else:
            gap.add(entry.position, entry_hash(entry))
        if entry.position in {40, 80, 120}:
            close()
    (folder / EVENTS).write_bytes(events.getvalue())
    (folder / STRETCHES).write_bytes(stretches.getvalue())

    def edit(read: dict[str, Any]) -> None:
        read["events"] = count
        read["range"].update(selection)

    manifest(edit)(folder)
    rehash(folder)


def _size(folder: Path) -> int:
    notes = (folder / "checkpoints.txt").read_bytes().split(b"\n")
    return max(int(text) for text in notes if text.isdigit())
