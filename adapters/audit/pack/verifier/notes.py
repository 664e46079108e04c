"""The signed checkpoints: notes after C2SP signed-note, in order, and by a key that was given."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from importlib.util import find_spec
from typing import NamedTuple

from adapters.audit.pack.verifier.forms import (
    HASH_BYTES,
    LARGEST,
    Unchecked,
    Wrong,
    Wrongs,
    decode_base64,
    refuse,
)
from adapters.audit.pack.verifier.keys import ID_BYTES, PublicKey
from adapters.audit.pack.verifier.pack_files import CHECKPOINTS, Pack

LONGEST_NOTE = 1 << 16
DASH = "\u2014 "
SIGNATURE = re.compile(rf"{DASH}([^\s+]+) ([A-Za-z0-9+/=]+)")
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
SIZE = re.compile("0|[1-9][0-9]{0,18}")


class Note(NamedTuple):
    """A signed checkpoint: the root of the tree over the first `size` events of a log.

    Release 0.1 let each name the hash of the note before it; `digests` are those by which it can be
    named, one for each signature, since witnesses may have signed it, too.
    """

    text: str
    origin: str
    size: int
    root: bytes
    previous: str | None
    digests: set[str]
    signatures: list[tuple[str, bytes]]


def check_notes(pack: Pack) -> str:
    """Check that the checkpoints are in order, of one log, and that the last covers the range."""
    wrongs, number = Wrongs(), 0
    before: Note | None = None
    for number, note in enumerate(read_pack_notes(pack), 1):
        if note.previous is not None and not (before and note.previous in before.digests):
            wrongs.add(f"checkpoint {number} does not follow on the one before it")
        if before and (note.size < before.size or note.origin != before.origin):
            wrongs.add(f"checkpoint {number} is of another log, or an older one")
        before = note
    if before is None or before.size < pack.manifest["range"]["last"]:
        wrongs.add("no checkpoint covers the end of the range")
    wrongs.check()
    assert before is not None  # noqa: S101 - else something is wrong
    return f"{number} of {before.origin} in order, the last over {before.size} events"


def read_pack_notes(pack: Pack) -> Iterator[Note]:
    """Return the checkpoints: lines up to an empty one behind a line with a signature."""
    lines: list[bytes] = []
    length = number = 0
    for _, text in pack.lines(CHECKPOINTS, LONGEST_NOTE):
        if text == b"\n" and lines and lines[-1].startswith(DASH.encode()):
            number += 1
            yield _note(b"".join(lines), number)
            lines, length = [], 0
            continue
        lines.append(text)
        length += len(text)
        if length > LONGEST_NOTE:
            raise Wrong(f"checkpoint {number + 1} is longer than any checkpoint")
    if lines and lines[-1].startswith(DASH.encode()):
        raise Wrong(f"checkpoint {number + 1} is not one")
    if lines:
        raise Wrong(f"{CHECKPOINTS}: what stands at its end is no checkpoint")


def _note(octets: bytes, number: int) -> Note:
    try:
        text, _, signed = octets.decode().rpartition("\n\n")
        origin, size, root, *more = text.split("\n")
        previous = [word.removeprefix("previous ") for word in more if word.startswith("previous ")]
        lines = [SIGNATURE.fullmatch(line) for line in signed.removesuffix("\n").split("\n")]
        note = Note(
            text=f"{text}\n",
            origin=origin,
            size=int(size) if SIZE.fullmatch(size) else refuse(size),
            root=decode_base64(root),
            previous=previous[0] if previous else None,
            digests=set(_digests(text, [found[0] for found in lines if found])),
            signatures=[(found[1], decode_base64(found[2])) for found in lines if found],
        )
    except ValueError as error:
        raise Wrong(f"checkpoint {number} is not one") from error
    fits = note.size <= LARGEST and len(note.root) == HASH_BYTES and len(previous) <= 1
    if not (fits and all(lines)) or CONTROL.search(text):
        raise Wrong(f"checkpoint {number} is not one")
    return note


def _digests(text: str, signatures: list[str]) -> Iterator[str]:
    """Return the hashes of a note with each of its signatures alone; its text is hashed once."""
    unsigned = sha256(f"{text}\n\n".encode())
    for signature in signatures:
        alone = unsigned.copy()
        alone.update(f"{signature}\n".encode())
        yield b64encode(alone.digest()).decode()


def check_signatures(pack: Pack) -> str:
    """Check that one of the keys has signed every checkpoint, and none of them badly."""
    if find_spec("cryptography") is None:
        raise Unchecked("NOT CHECKED: the package cryptography is not installed")
    keys = {(key.name, key.key_id): key for key in map(PublicKey.parse, pack.keys)}
    names = " and ".join(dict.fromkeys(name for name, _ in keys))
    wrongs, number = Wrongs(), 0
    for number, note in enumerate(read_pack_notes(pack), 1):
        signed = ((keys.get((who, s[:ID_BYTES])), s[ID_BYTES:]) for who, s in note.signatures)
        ours = {(key, signature) for key, signature in signed if key}
        if not ours or not all(key.verifies(note.text.encode(), s) for key, s in ours):
            wrongs.add(f"checkpoint {number} is not signed by {names}")
    wrongs.check()
    return f"{number} are good, by {names}"
