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

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from adapters.audit.keys import decoded, encoded
from adapters.audit.plain_file import opened_to_read, read_text
from domain.history.audit_log import LogEntry
from domain.tlog.checkpoints import Unprovable
from domain.tlog.compact_range import HASH_BYTES
from domain.tlog.proofs import ConsistencyProof, Proof

FORMAT: Final = "taskflow.inclusion_proof.v1"

_MOST: Final = (1 << 63) - 1
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
        "state": encoded(entry.state),
        "index": entry.position - 1,
        "path": [encoded(node) for node in proof.hashes],
        "checkpoint": proof.note,
    }
    if proof.consistency is not None:
        path = [encoded(node) for node in proof.consistency.hashes]
        document["since"] = {"checkpoint": proof.consistency.note, "path": path}
    return document


def read_proof(file: Path) -> Proof:
    """Read the proof that a file holds.

    Raises:
        Unprovable: if the file cannot be read, or holds none.
    """
    with opened_to_read(file) as opened:
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
    fields = _object(text)
    has_since, since = "since" in fields, fields.pop("since", None)
    _check(fields, _FIELDS, "it")
    entry = LogEntry(
        position=fields["index"] + 1,
        flow_id=fields["flow"],
        version=fields["version"],
        name=fields["name"],
        state=decoded(fields["state"]) or b"",
    )
    return Proof(
        entry=entry,
        hashes=_path(fields),
        note=fields["checkpoint"],
        consistency=_consistency(since) if has_since else None,
    )


def _consistency(fields: object) -> ConsistencyProof:
    if not isinstance(fields, dict):
        raise _no_proof("its field since is not an object")
    _check(fields, _SINCE, "since")
    return ConsistencyProof(note=fields["checkpoint"], hashes=_path(fields))


def _path(fields: Mapping[str, Any]) -> tuple[bytes, ...]:
    return tuple(decoded(node) or b"" for node in fields["path"])


def _check(
    fields: Mapping[str, Any], wanted: Mapping[str, Callable[[object], bool]], what: str
) -> None:
    if fields.keys() != wanted.keys():
        raise _no_proof(f"{what} has the fields {', '.join(wanted)} and no others")
    for name, is_fine in wanted.items():
        if not is_fine(fields[name]):
            raise _no_proof(f"the field {name} is not what it should be")


def _object(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise _no_proof("it is not JSON") from error
    if not isinstance(document, dict):
        raise _no_proof("it is not a JSON object")
    return document


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a name stands twice")
    return fields


def _no_proof(clause: str) -> Unprovable:
    return Unprovable(f"not a proof: {clause}")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not any("\ud800" <= each <= "\udfff" for each in value)


def _is_count(least: int) -> Callable[[object], bool]:
    return lambda value: type(value) is int and least <= value < _MOST


def _is_base64(value: object) -> bool:
    return isinstance(value, str) and decoded(value) is not None


def _is_path(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= _DEEPEST
        and all(isinstance(node, str) and len(decoded(node) or b"") == HASH_BYTES for node in value)
    )


_FIELDS: Final[Mapping[str, Callable[[object], bool]]] = {
    "format": lambda value: value == FORMAT,
    "flow": _is_text,
    "version": _is_count(1),
    "name": _is_text,
    "state": _is_base64,
    "index": _is_count(0),
    "path": _is_path,
    "checkpoint": _is_text,
}

_SINCE: Final[Mapping[str, Callable[[object], bool]]] = {
    "checkpoint": _is_text,
    "path": _is_path,
}
