"""Checkpoints as release 0.1 wrote them: with the time, and the hash of the one before."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Final

from adapters.audit.keys import Signer
from adapters.audit.notes import signed_note, split_notes
from domain.flow.ids import FlowId
from domain.history.audit_log import LogEntry

GOLDEN: Final = Path(__file__).parent / "golden" / "release-0.1.checkpoints"
"""Four that this release wrote itself, over the first 0, 4, 4 and 7 events of the log below."""

GOLDEN_LOG: Final = tuple(
    LogEntry(position=number, flow_id=FlowId("flow-1"), version=number, name="made.v1", state=b"{}")
    for number in range(1, 11)
)
SIGNER: Final = Signer.parse(
    "PRIVATE+KEY+flows.example+9674a992+AVVW4Zvpy5IaUjJKHKE0hs7gW5c3ntfMxom+09Ixm9NI"
)
"""Who signed them: a key that is used for nothing else."""


def old_note(text: str, before: bytes | None, signer: Signer) -> bytes:
    """Return a checkpoint as that release signed it behind another one."""
    text += "time 2026-11-23T12:00:00.000Z\n"
    if before is not None:
        text += f"previous {b64encode(sha256(before).digest()).decode()}\n"
    return signed_note(text, signer).encode()


def made_old(file: Path, signer: Signer, count: int) -> None:
    """Write the first checkpoints of a file as that release would have."""
    before: bytes | None = None
    written = b""
    notes = split_notes(file.read_bytes()).whole
    for note in notes[:count]:
        text = note.decode().partition("\n\n")[0]
        before = old_note(f"{text}\n", before, signer)
        written += before + b"\n"
    written += b"".join(note + b"\n" for note in notes[count:])
    file.write_bytes(written)
