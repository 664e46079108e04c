"""The text of a checkpoint after C2SP tlog-checkpoint, with two extension lines of ours.

    <origin>
    <size, in decimal>
    <base64 of the root>
    time 2026-11-23T12:00:00.000Z
    previous <base64 of the SHA-256 of the signed note before it>

See https://c2sp.org/tlog-checkpoint. The first checkpoint of a file has no `previous`. Extension
lines of others are allowed and not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from adapters.audit.keys import decoded, encoded
from adapters.audit.notes import SIGNATURE_BEGUN
from domain.audit.checkpoints import Checkpoint
from domain.audit.merkle import HASH_BYTES
from domain.values import Timestamp

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_LEAST_LINES: Final = 3
_LONGEST: Final = 1 << 14
"""No checkpoint with its signatures has as many bytes: ours have about 400."""
_BEGUN: Final = re.compile(
    rb"""
      [0-9]{0,19}
    | [0-9]{1,19}\n [A-Za-z0-9+/]{0,43}
    | [0-9]{1,19}\n [A-Za-z0-9+/]{43}=
      (?: \n (?: [^\x00-\x1f]+ \n )* (?: [^\x00-\x1f]* | \n%b ) )?
    """
    % SIGNATURE_BEGUN.replace(b" ", rb"\ "),
    re.VERBOSE,
)
"""How a checkpoint begins behind its first line, up to within its first signature."""


def checkpoint_text(checkpoint: Checkpoint) -> str:
    """Return the text of a checkpoint, each line with its break."""
    lines = [checkpoint.origin, str(checkpoint.size), encoded(checkpoint.root)]
    if checkpoint.at is not None:
        lines.append(f"time {_written(checkpoint.at)}")
    if checkpoint.previous is not None:
        lines.append(f"previous {encoded(checkpoint.previous)}")
    return "".join(f"{line}\n" for line in lines)


def parse_checkpoint(text: str) -> Checkpoint | None:
    """Return the checkpoint that a text is, or None."""
    lines = text.removesuffix("\n").split("\n")
    if len(lines) < _LEAST_LINES or not all(lines) or not _SIZE.fullmatch(lines[1]):
        return None
    root, extensions = decoded(lines[2]), lines[3:]
    times, previous = _values(extensions, "time"), _values(extensions, "previous")
    if root is None or len(root) != HASH_BYTES or len(times) > 1 or len(previous) > 1:
        return None
    at = _moment(times[0]) if times else None
    before = decoded(previous[0]) if previous else None
    if (times and at is None) or (previous and (before is None or len(before) != HASH_BYTES)):
        return None
    return Checkpoint(origin=lines[0], size=int(lines[1]), root=root, at=at, previous=before)


def is_checkpoint_begun(octets: bytes, origin: bytes) -> bool:
    """Say whether something is what a torn write leaves of a signed checkpoint of a log."""
    first = origin + b"\n"
    if len(octets) <= len(first):
        return first.startswith(octets)
    begins = octets.startswith(first) and len(octets) < _LONGEST
    return begins and _BEGUN.fullmatch(octets, len(first)) is not None


def _values(lines: Sequence[str], name: str) -> list[str]:
    return [line.removeprefix(f"{name} ") for line in lines if line.startswith(f"{name} ")]


def _written(at: Timestamp) -> str:
    moment = _EPOCH + timedelta(milliseconds=at)
    return f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def _moment(text: str) -> Timestamp | None:
    if not _TIME.fullmatch(text):
        return None
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // _MILLISECOND
    except ValueError:
        return None
