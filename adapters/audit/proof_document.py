"""A proof as a JSON document, and strictly back.

{
  "format": "taskflow.inclusion_proof.v1",
  "flow": "<flow id>", "version": 3, "name": "<the event's permanent name>",
  "state": "<base64 of the event's bytes as they are stored>",
  "index": 41,                      its place in the log, from 0
  "path": ["<base64>", ...],        the audit path of RFC 9162 §2.1.3, lowest node first
  "checkpoint": "<the signed note>", which has the tree's size and root
  "since": {                        only if somebody already holds an older checkpoint:
    "checkpoint": "<its signed note>",
    "path": ["<base64>", ...]       that the tree continues its tree: RFC 9162 §2.1.4
  }
}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from adapters.audit.keys import decoded
from adapters.audit.pack.verifier.forms import (
    HASH_BYTES,
    LARGEST,
    SURROGATE,
    decode_base64,
    encode_base64,
    is_count,
    read_strictly,
)
from adapters.audit.plain_file import open_plain_file, read_text
from domain.history.audit_log import LogEntry
from domain.tlog.checkpoints import Unprovable
from domain.tlog.proofs import ConsistencyProof, Proof

FORMAT: Final = "taskflow.inclusion_proof.v1"

_DEEPEST: Final = 64
_LONGEST: Final = 1 << 27
"""More bytes than the proof of the largest event has."""


def proof_document(proof: Proof) -> dict[str, object]:
    """Return the document of a proof."""
    entry = proof.entry
    document: dict[str, object] = {
        "format": FORMAT,
        "flow": entry.flow_id,
        "version": entry.version,
        "name": entry.name,
        "state": encode_base64(entry.state),
        "index": entry.position - 1,
        "path": [encode_base64(node) for node in proof.hashes],
        "checkpoint": proof.note,
    }
    if proof.consistency is not None:
        path = [encode_base64(node) for node in proof.consistency.hashes]
        document["since"] = {"checkpoint": proof.consistency.note, "path": path}
    return document


def read_proof(file: Path) -> Proof:
    """Read the proof that a file holds.

    Raises:
        Unprovable: if the file cannot be read, or holds none.
    """
    with open_plain_file(file) as opened:
        octets = read_text(opened, _LONGEST)
    if octets is None:
        raise Unprovable(f"{file}: not a proof: it is longer than any proof")
    try:
        return parse_proof(octets.decode())
    except UnicodeDecodeError as error:
        raise Unprovable(f"{file}: not a proof: it is not text in UTF-8") from error


def parse_proof(text: str) -> Proof:
    """Read a proof from the text of its document.

    Raises:
        Unprovable: if it is none: no part of it is guessed.
    """
    try:
        document = read_strictly(text)
    except (ValueError, RecursionError) as error:
        raise _no_proof("it is not JSON") from error
    has_since = isinstance(document, dict) and "since" in document
    since = _checked(document.pop("since"), _SINCE, "since") if has_since else None
    fields = _checked(document, _FIELDS, "it")
    entry = LogEntry(
        position=fields["index"] + 1,
        flow_id=fields["flow"],
        version=fields["version"],
        name=fields["name"],
        state=decode_base64(fields["state"]),
    )
    return Proof(
        entry=entry,
        hashes=_path(fields),
        note=fields["checkpoint"],
        consistency=ConsistencyProof(note=since["checkpoint"], hashes=_path(since))
        if since
        else None,
    )


def _path(fields: Mapping[str, Any]) -> tuple[bytes, ...]:
    return tuple(map(decode_base64, fields["path"]))


def _checked(
    found: object, wanted: Mapping[str, Callable[[object], bool]], what: str
) -> dict[str, Any]:
    if not isinstance(found, dict) or found.keys() != wanted.keys():
        raise _no_proof(f"{what} has the fields {', '.join(wanted)} and no others")
    for name, is_fine in wanted.items():
        if not is_fine(found[name]):
            raise _no_proof(f"the field {name} is not what it should be")
    return found


def _no_proof(clause: str) -> Unprovable:
    return Unprovable(f"not a proof: {clause}")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not SURROGATE.search(value)


def _is_base64(value: object) -> bool:
    return isinstance(value, str) and decoded(value) is not None


def _is_path(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= _DEEPEST
        and all(isinstance(node, str) and len(decoded(node) or b"") == HASH_BYTES for node in value)
    )


_SINCE: Final[Mapping[str, Callable[[object], bool]]] = {"checkpoint": _is_text, "path": _is_path}
_FIELDS: Final[Mapping[str, Callable[[object], bool]]] = {
    "format": lambda value: value == FORMAT,
    "flow": _is_text,
    "version": is_count,
    "name": _is_text,
    "state": _is_base64,
    "index": lambda value: is_count(value, 0) and value != LARGEST,
    **_SINCE,
}
