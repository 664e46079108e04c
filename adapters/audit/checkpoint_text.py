"""The text of a checkpoint: C2SP tlog-checkpoint, without extension lines.

    <origin>
    <size, in decimal>
    <base64 of the root>

See https://c2sp.org/tlog-checkpoint. Release 0.1 wrote two extension lines, the second of them not
in the first checkpoint of a file; others' are allowed and not looked at.

    time 2026-11-23T12:00:00.000Z
    previous <base64 of the SHA-256 of the signed note before it>
"""

from __future__ import annotations

import re
from typing import Final

from adapters.audit.keys import decoded
from adapters.audit.notes import SIGNATURE_BEGUN
from adapters.audit.pack.verifier.forms import encode_base64
from domain.tlog.checkpoints import Checkpoint
from domain.tlog.compact_range import HASH_BYTES

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_LEAST_LINES: Final = 3
_PREVIOUS: Final = "previous "
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
    return f"{checkpoint.origin}\n{checkpoint.size}\n{encode_base64(checkpoint.root)}\n"


def parse_checkpoint(text: str) -> Checkpoint | None:
    """Return the checkpoint that a text is, or None."""
    lines = text.removesuffix("\n").split("\n")
    if len(lines) < _LEAST_LINES or not all(lines) or not _SIZE.fullmatch(lines[1]):
        return None
    root = decoded(lines[2])
    if root is None or len(root) != HASH_BYTES:
        return None
    named = (line.removeprefix(_PREVIOUS) for line in lines[3:] if line.startswith(_PREVIOUS))
    previous = next(named, None)
    return Checkpoint(
        origin=lines[0],
        size=int(lines[1]),
        root=root,
        previous=None if previous is None else decoded(previous),
    )


def is_checkpoint_begun(octets: bytes, origin: bytes) -> bool:
    """Say whether something is what a torn write leaves of a signed checkpoint of a log."""
    first = origin + b"\n"
    if len(octets) <= len(first):
        return first.startswith(octets)
    begins = octets.startswith(first) and len(octets) < _LONGEST
    return begins and _BEGUN.fullmatch(octets, len(first)) is not None
