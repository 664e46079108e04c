"""Verifies an evidence pack: python3 -I verify.py [FOLDER] [--key KEY]...

This file imports nothing but Python's own library (3.11 or later), and the package `cryptography`
for signatures if it is there. It is long, so that it is all there is to read. It writes a line for
each check and a verdict, and exits with

  0  verified: all is as it was signed
  1  something is wrong: the lines say what
  2  nothing is wrong, but not everything could be checked

Whoever made the pack may be an enemy. So only regular files are read, and no more of one at a time
than what a pack can have; all that is no number, hash or text of the right form is wrong.

Sources: RFC 9162 §2.1 (the tree), C2SP signed-note and tlog-checkpoint (the checkpoints), RFC 8032
(the keys).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from heapq import merge
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from struct import pack as packed
from typing import Any, BinaryIO, NamedTuple, NoReturn

FORMAT = "taskflow.evidence_pack.v1"
EVENTS, STRETCHES, CHECKPOINTS = "events.ndjson", "proofs/stretches.ndjson", "checkpoints.txt"
OURS = ("verify.py", "README.txt")
MANIFEST, FOLDER = "manifest.json", "proofs"
FILES = (EVENTS, STRETCHES, CHECKPOINTS, *OURS)
LONGEST_LINE, LONGEST_NOTE, LONGEST_MANIFEST = 1 << 27, 1 << 16, 1 << 20
LARGEST, LONGEST_NAME, LONGEST_SENTENCE = (1 << 63) - 1, 1000, 1000
MOST_TOLD, HASH_BYTES, ID_BYTES, CHUNK = 10, 32, 4, 1 << 20
SIZES = [1 << level for level in range(63)]
VERIFIED, WRONG, OPEN = 0, 1, 2
DASH = "\u2014 ".encode()
SIGNATURE = re.compile("\u2014 ([^\\s+]+) ([A-Za-z0-9+/=]+)")
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
SIZE = re.compile("0|[1-9][0-9]{0,18}")
KEY = re.compile(r"([^\s+\x00-\x1f\x7f-\x9f]{1,200})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})")
PRIME = (1 << 255) - 19
EIGHTH = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
SMALL_ORDER = {0, 1, PRIME - 1, EIGHTH, PRIME - EIGHTH}
SURROGATE, UNFIT = re.compile("[\ud800-\udfff]"), re.compile("[\n\r\t\ud800-\udfff]")


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word[:40]} has no place here")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else _refuse("a name that stands twice")


# Readers and writers that are made once: making one takes longer than using it.
READ_FIELDS = json.JSONDecoder(parse_constant=_refuse).decode
READ_ANY = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse).decode
READ_STRICTLY = json.JSONDecoder(
    parse_float=_refuse, parse_constant=_refuse, object_pairs_hook=_once
).decode
WRITE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
WRITE_ASCII = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
TAKEN = {"position", "flow_id", "flowId", "version", "name", "at", "data", "stored"}


class Wrong(Exception):  # noqa: N818 - reads as what is said of a pack
    """What is not as it should be, a sentence each."""


class Unchecked(Exception):  # noqa: N818 - the same
    """Why something could not be checked here."""


class Event(NamedTuple):
    """An event as it was stored; `position` is its place in the whole log, from 1."""

    position: int
    flow_id: str
    version: int
    name: str
    stored: bytes


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


@dataclass
class Pack:
    """An unpacked evidence pack, and the public keys that whoever verifies it was given.

    `flows` are the first and the last version here of each flow, once the events are checked.
    """

    folder: Path
    manifest: dict[str, Any]
    given_keys: list[str]
    flows: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def keys(self) -> list[str]:
        """Return the public keys that the pack was made for: more than one, if one was rotated."""
        return [self.manifest["publicKey"], *self.manifest.get("previousKeys", [])]


class Findings:
    """What is found to be wrong: the first few sentences, and how many there are beside them."""

    def __init__(self) -> None:
        self._told: list[str] = []
        self._more = 0

    def add(self, sentence: str) -> None:
        """Keep a sentence, or count it."""
        if len(self._told) < MOST_TOLD:
            self._told.append(sentence)
        else:
            self._more += 1

    def check(self) -> None:
        """Raise `Wrong` if there are any."""
        if self._told:
            raise Wrong(*self._told, *([f"and {self._more} more"] if self._more else []))


def line(event: Event) -> bytes:
    """Return the line of an event, which is made of what was stored and of nothing else."""
    position, flow_id, version, name, stored = event
    parts = (
        f'"position":{_json(position)},"flowId":{_json(flow_id)}',
        f'"version":{_json(version)},"name":{_json(name)}',
        *_readable(stored),
        f'"stored":"{b64encode(stored).decode()}"',
    )
    return "{{{}}}\n".format(",".join(parts)).encode()


def _readable(stored: bytes) -> list[str]:
    """Return who did what and when, in public names; nothing if the bytes are not of our form."""
    try:
        fields = READ_FIELDS(stored.decode())
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
    text = WRITE(value)
    return WRITE_ASCII(value) if SURROGATE.search(text) else text


def _embedded(name: str, value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return what a field holds; callers' JSON, which is stored as its text, as it was sent."""
    if name.endswith("_json") and isinstance(value, str) and not UNFIT.search(value):
        try:
            READ_ANY(value)
        except (ValueError, RecursionError):
            return _json(value)
        return value
    return _json(value)


def _opened(pack: Pack, name: str) -> BinaryIO:
    """Open a file of a pack, if it is a regular one: no link, which may lead anywhere, no pipe."""
    path = pack.folder / name
    try:
        if not S_ISREG(path.lstat().st_mode):
            raise Wrong(f"{name} is no regular file")
        careful = ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY")
        flags = sum(getattr(os, flag, 0) for flag in careful)
        return os.fdopen(os.open(path, os.O_RDONLY | flags), "rb")
    except OSError as error:
        raise Wrong(f"{name} cannot be read: {error.strerror}") from error


def _lines(pack: Pack, name: str, longest: int) -> Iterator[tuple[int, bytes]]:
    """Return the lines of a file with their numbers, never more of it at once than a long line."""
    number = 0
    with _opened(pack, name) as file:
        while text := file.readline(longest + 1):
            number += 1
            if len(text) > longest:
                raise Wrong(f"{name}, line {number}: it is longer than any line of a pack")
            yield number, text


def _decoded(text: str) -> bytes:
    octets = b64decode(text, validate=True)
    return octets if b64encode(octets).decode() == text else _refuse("another base64 of the same")


def _is_count(value: object, least: int = 1) -> bool:
    return type(value) is int and least <= value <= LARGEST


def _is_name(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_NAME and not SURROGATE.search(value)


class Tree:
    """A Merkle tree that grows to the right, by leaves or by whole subtrees of 2**level leaves."""

    def __init__(self) -> None:
        self.size = 0
        self._parts: list[tuple[int, bytes]] = []

    def add(self, level: int, hashed: bytes) -> None:
        """Add a subtree on the right."""
        if self.size % (1 << level):
            raise Wrong(f"a stretch of {1 << level} events cannot begin after {self.size}")
        self.size += 1 << level
        while self._parts and self._parts[-1][0] == level:
            hashed = _node(self._parts.pop()[1], hashed)
            level += 1
        self._parts.append((level, hashed))

    def root(self) -> bytes:
        """Return the root over all leaves."""
        root = b""
        for _, hashed in reversed(self._parts):
            root = _node(hashed, root) if root else hashed
        return root or sha256().digest()


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def leaf_hash(event: Event) -> bytes:
    """Return the hash of an event's leaf: its flow, version, name and stored bytes."""
    flow_id, name = event.flow_id.encode(), event.name.encode()
    head = packed(">I", len(flow_id)) + flow_id + packed(">QI", event.version, len(name)) + name
    return sha256(b"\x00" + head + packed(">I", len(event.stored)) + event.stored).digest()


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return what the manifest in a folder says; its form is checked by `check_manifest`."""
    with _opened(Pack(folder, {}, []), MANIFEST) as file:
        octets = file.read(LONGEST_MANIFEST + 1)
    if len(octets) > LONGEST_MANIFEST:
        raise Wrong(f"{MANIFEST} cannot be read: it is longer than any manifest")
    try:
        manifest = READ_STRICTLY(octets.decode())
    except (ValueError, RecursionError, MemoryError) as error:
        raise Wrong(f"{MANIFEST} cannot be read: {error}") from error
    return manifest if isinstance(manifest, dict) else {}


def check_manifest(pack: Pack) -> str:
    """Check that the manifest is of the form that this file knows."""
    if pack.manifest.get("format") != FORMAT:
        raise Wrong(f"it is not of the format {FORMAT}")
    if {*pack.manifest, "previousKeys"} != MANIFEST_FIELDS.keys():
        raise Wrong(f"its fields are {', '.join(MANIFEST_FIELDS)} (this one not always)")
    findings = Findings()
    for name, held in pack.manifest.items():
        if not MANIFEST_FIELDS[name](held):
            findings.add(f"its field {name} is not what it should be")
    findings.check()
    return f"{FORMAT}, made by {pack.manifest['tool']}"


def check_files(pack: Pack) -> str:
    """Check that the files are those that the manifest lists, and no others."""
    listed, findings = {file["name"]: file for file in pack.manifest["files"]}, Findings()
    for name in FILES:
        if name not in listed:
            findings.add(f"{name}: the manifest does not list it")
    there = set()
    for name, is_fine in _found(pack):
        there.add(name)
        if name not in {*FILES, MANIFEST, FOLDER}:
            findings.add(f"{name} does not belong here")
            there.discard(name)
        elif not is_fine:
            findings.add(f"{name} is no regular {'folder' if name == FOLDER else 'file'}")
        elif name in listed and not _is_as_listed(pack, listed[name]):
            findings.add(f"{name} was changed: its SHA-256 is not the manifest's")
    for name in FILES:
        if name not in there:
            findings.add(f"{name} is missing")
    findings.check()
    return f"{len(FILES)} files are as the manifest says"


def _found(pack: Pack) -> Iterator[tuple[str, bool]]:
    """Return the names in the folder and in the one within it, and whether each may be read."""
    for inside in ("", FOLDER):
        if inside and ((folder := pack.folder / inside).is_symlink() or not folder.is_dir()):
            return
        with os.scandir(pack.folder / inside) as entries:
            for entry in entries:
                name = f"{inside}/{entry.name}" if inside else entry.name
                is_folder = name == FOLDER
                mode = entry.stat(follow_symlinks=False).st_mode
                yield name, S_ISDIR(mode) if is_folder else S_ISREG(mode)


def _is_as_listed(pack: Pack, listed: dict[str, Any]) -> bool:
    digest = sha256()
    with _opened(pack, listed["name"]) as file:
        if os.fstat(file.fileno()).st_size != listed["bytes"]:
            return False
        # What is empty has no end that can be waited for: no file of a pack holds a NUL.
        while (octets := file.read(CHUNK)) and b"\0" not in octets:
            digest.update(octets)
    return not octets and digest.hexdigest() == listed["sha256"]


def check_events(pack: Pack) -> str:
    """Check that each event reads as it was stored, in order, in the range, and all if it is so."""
    chosen, findings, count = dict(pack.manifest["range"]), Findings(), 0
    first, last, flow = chosen.pop("first"), chosen.pop("last"), chosen.get("flowId")
    oldest, before = oldest_version(first, has_since="since" in chosen), first - 1
    for event, text in _events(pack):
        count += 1
        if line(event) != text:
            findings.add(f"position {event.position}: its line is not what its stored bytes say")
        if not before < event.position <= last or flow not in {None, event.flow_id}:
            findings.add(f"position {event.position}: it is not in order, or not in the range")
        elif not chosen and event.position != before + 1:
            findings.add(f"{_span(before + 1, event.position - 1)} is left out")
        before = event.position
        if gap := add_version(pack.flows, event, oldest):
            findings.add(gap)
    if not chosen and before < last:
        findings.add(f"{_span(before + 1, last)} is left out")
    if count != pack.manifest["events"]:
        findings.add(f"there are {count} events, and the manifest says {pack.manifest['events']}")
    findings.check()
    told = f"{count} between positions {first} and {last} read as they were stored"
    by = ", ".join(f"{name} {value}" for name, value in chosen.items())
    return f"{told}; chosen by {by}" if chosen else f"{told}; none is left out"


def _span(first: int, last: int) -> str:
    return f"position {first}" if first == last else f"what stands from position {first} to {last}"


def oldest_version(first: int, *, has_since: bool) -> int | None:
    """Return the version that each flow begins with in a pack, None if any will do.

    A flow's events stand in the log in the order of their versions and of their times. So whatever
    they were chosen by, what is here of a flow has no gap, and its beginning if the log's is here.
    """
    return 1 if first == 1 and not has_since else None


def add_version(flows: dict[str, tuple[int, int]], event: Event, oldest: int | None) -> str | None:
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


def _events(pack: Pack) -> Iterator[tuple[Event, bytes]]:
    for number, text in _lines(pack, EVENTS, LONGEST_LINE):
        try:
            read = READ_FIELDS(text.decode())
            place = read["position"], read["flowId"], read["version"], read["name"]
            event = Event(*place, b64decode(read["stored"], validate=True))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Wrong(f"{EVENTS}, line {number}: it is not an event") from error
        are_counts = _is_count(event.position) and _is_count(event.version)
        if not (are_counts and _is_name(event.flow_id) and _is_name(event.name)):
            raise Wrong(f"{EVENTS}, line {number}: it is not an event")
        yield event, text


def check_notes(pack: Pack) -> str:
    """Check that the checkpoints are in order, of one log, and that the last covers the range."""
    findings, number = Findings(), 0
    before: Note | None = None
    for number, note in enumerate(_notes(pack), 1):
        if note.previous is not None and not (before and note.previous in before.digests):
            findings.add(f"checkpoint {number} does not follow on the one before it")
        if before and (note.size < before.size or note.origin != before.origin):
            findings.add(f"checkpoint {number} is of another log, or an older one")
        before = note
    if before is None or before.size < pack.manifest["range"]["last"]:
        findings.add("no checkpoint covers the end of the range")
    findings.check()
    assert before is not None  # noqa: S101 - else there are findings
    return f"{number} of {before.origin} in order, the last over {before.size} events"


def _notes(pack: Pack) -> Iterator[Note]:
    """Return the checkpoints: lines up to an empty one behind a line with a signature."""
    lines: list[bytes] = []
    length = number = 0
    for _, text in _lines(pack, CHECKPOINTS, LONGEST_NOTE):
        if text == b"\n" and lines and lines[-1].startswith(DASH):
            number += 1
            yield _note(b"".join(lines), number)
            lines, length = [], 0
            continue
        lines.append(text)
        length += len(text)
        if length > LONGEST_NOTE:
            raise Wrong(f"checkpoint {number + 1} is longer than any checkpoint")
    if lines and lines[-1].startswith(DASH):
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
            size=int(size) if SIZE.fullmatch(size) else _refuse(size),
            root=_decoded(root),
            previous=previous[0] if previous else None,
            digests=set(_digests(text, [found[0] for found in lines if found])),
            signatures=[(found[1], _decoded(found[2])) for found in lines if found],
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


def check_key(pack: Pack) -> str:
    """Check that the keys of the pack are among those that whoever verifies it was given."""
    for key in pack.keys:
        _key(key)
    shown = ", ".join(pack.keys)
    if not pack.given_keys:
        raise Unchecked(f"compare it with the key that you were given (or: --key KEY): {shown}")
    findings = Findings()
    for key in pack.keys:
        if key not in pack.given_keys:
            findings.add(f"the pack was made for another key: {key}")
    findings.check()
    return f"{shown}, as given"


def _key(text: str) -> tuple[str, bytes, bytes]:
    """Return the name, the id and the 32 bytes of a public key."""
    found = KEY.fullmatch(text)
    if found is None:
        raise Wrong("the public key is mistyped")
    name, octets = found[1], b64decode(found[3])
    key_id = sha256(f"{name}\n".encode() + octets).digest()[:ID_BYTES]
    if found[2] != key_id.hex() or octets[:1] != b"\x01" or b64encode(octets).decode() != found[3]:
        raise Wrong("the public key is mistyped")
    if is_weak(octets[1:]):
        raise Wrong("the public key is of a kind with which anybody can sign anything")
    return name, key_id, octets[1:]


def is_weak(key: bytes) -> bool:
    """Say whether an Ed25519 key is a point of small order, or not in its one form.

    With a point of order 1, 2, 4 or 8 there are signatures that are good for any text, or for one
    text in so many (RFC 8032 §5.1.3 on the form; the sign of x, the first bit, does not matter).
    """
    y = int.from_bytes(key, "little") & ((1 << 255) - 1)
    return y >= PRIME or y in SMALL_ORDER


def check_signatures(pack: Pack) -> str:
    """Check that one of the keys has signed every checkpoint, and none of them badly."""
    try:
        # They stand here, since everything else must work without them.
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - see above
        from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - the same
            Ed25519PublicKey,
        )
    except ImportError:
        raise Unchecked("NOT CHECKED: the package cryptography is not installed") from None
    known = {(n, i): Ed25519PublicKey.from_public_bytes(k) for n, i, k in map(_key, pack.keys)}
    names = " and ".join(dict.fromkeys(name for name, _ in known))
    findings, number = Findings(), 0
    for number, note in enumerate(_notes(pack), 1):
        signed = ((known.get((who, s[:ID_BYTES])), s[ID_BYTES:]) for who, s in set(note.signatures))
        ours = [(key, signature) for key, signature in signed if key]
        try:
            for key, signature in ours:
                key.verify(signature, note.text.encode())
        except InvalidSignature:
            ours = []
        if not ours:
            findings.add(f"checkpoint {number} is not signed by {names}")
    findings.check()
    return f"{number} are good, by {names}"


def check_tree(pack: Pack) -> str:
    """Check that the events, with the hashes of those left out, lead to every signed root."""
    parts, tree, good, number = _parts(pack), Tree(), 0, 0
    for note in _notes(pack):
        number += 1
        if note.size < tree.size:  # it stands behind a newer one, which the chain forbids
            continue
        while tree.size < note.size:
            level, hashed = next(parts, (0, b""))
            if not hashed:
                raise Wrong(f"events or stretches are missing from position {tree.size + 1} on")
            tree.add(level, hashed)
        if (tree.size, tree.root()) != (note.size, note.root):
            raise Wrong(
                f"the root of the checkpoint over {note.size} events is another: behind position"
                f" {good} an event, a stretch or the checkpoint was changed, added or removed"
            )
        good = note.size
    if next(parts, None):
        raise Wrong(f"there is more behind position {good} than was signed")
    return f"the events lead to the root of every checkpoint, {number} in all"


def _parts(pack: Pack) -> Iterator[tuple[int, bytes]]:
    """Return the tree's subtrees from left to right: events, and the stretches between them."""
    events = ((event.position, 0, leaf_hash(event)) for event, _ in _events(pack))
    due = 1
    for first, level, hashed in merge(events, _stretches(pack)):
        if first != due:
            raise Wrong(f"position {due} is neither an event here nor in a stretch")
        yield level, hashed
        due += 1 << level


def _stretches(pack: Pack) -> Iterator[tuple[int, int, bytes]]:
    """Return the first position, the level and the hash of each subtree without events here."""
    for number, text in _lines(pack, STRETCHES, LONGEST_NAME):
        try:
            read = READ_STRICTLY(text.decode())
            first, last, hashed = read["first"], read["last"], _decoded(read["hash"])
            level = SIZES.index(last - first + 1)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Wrong(f"{STRETCHES}, line {number}: it is not a stretch") from error
        fits = _is_count(first) and _is_count(last) and len(hashed) == HASH_BYTES
        written = f'{{"first":{first},"last":{last},"hash":"{read["hash"]}"}}\n'
        if not fits or text != written.encode():
            raise Wrong(f"{STRETCHES}, line {number}: it is not a stretch")
        yield first, level, hashed


def _are_names(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_name, value))


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def _is_time(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch("[-+0-9:.TZ]{1,40}", value) is not None


def _is_tool(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch("[-+.0-9A-Za-z ]{1,99}", value) is not None


def _is_range(value: object) -> bool:
    if not isinstance(value, dict) or not {"first", "last"} <= value.keys() <= RANGE.keys():
        return False
    return (
        all(RANGE[name](held) for name, held in value.items()) and value["first"] <= value["last"]
    )


def _is_list_of_files(value: object) -> bool:
    if not isinstance(value, list) or not all(isinstance(file, dict) for file in value):
        return False
    fine = all(file.keys() == FILE.keys() for file in value) and all(
        is_fine(file[name]) for file in value for name, is_fine in FILE.items()
    )
    return fine and len({file["name"] for file in value}) == len(value)


RANGE: dict[str, Callable[[object], bool]] = {
    "first": _is_count,
    "last": _is_count,
    "flowId": _is_name,
    "owner": _is_name,
    "since": _is_time,
    "until": _is_time,
}
FILE: dict[str, Callable[[object], bool]] = {
    "name": FILES.__contains__,
    "bytes": lambda value: _is_count(value, 0),
    "sha256": _is_hash,
}
MANIFEST_FIELDS: dict[str, Callable[[object], bool]] = {
    "format": FORMAT.__eq__,
    "tool": _is_tool,
    "publicKey": _is_name,
    "range": _is_range,
    "events": _is_count,
    "files": _is_list_of_files,
    "previousKeys": _are_names,
}


def shown(pack: Pack) -> Iterator[str]:
    """Return what a pack shows if it is verified, and what it cannot show, whoever made it.

    NOTE: nobody signs the manifest. Whoever cuts off events at the beginning or the end of a flow
    can let it say that they were not asked for, so that what was asked for shows nothing.
    """
    first, last = pack.manifest["range"]["first"], pack.manifest["range"]["last"]
    events = f"{_counted(pack.manifest['events'], 'event')} of {_counted(len(pack.flows), 'flow')}"
    if pack.manifest["range"].keys() == {"first", "last"}:
        yield f"It shows all events of the log from position {first} to {last}: {events}."
        before = f"before position {first}, or " if first > 1 else ""
        yield f"It cannot show what happened {before}after position {last}."
        return
    spans, late = pack.flows.items(), sum(oldest > 1 for oldest, _ in pack.flows.values())
    if len(spans) == 1:
        [(flow, (oldest, newest))] = spans
        yield f"It shows versions {oldest} to {newest} of flow {flow}, without a gap."
    else:
        yield f"It shows {events}, without a gap within any flow."
    if late:
        yield f"The first versions of {_counted(late, 'flow')} are not here."
    yield "It cannot show that a flow here has no later version, or that there is no other flow."


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


VERDICTS = {
    VERIFIED: "VERIFIED: every event here is, to the byte, what was signed.",
    WRONG: "WRONG: do not rely on this pack; the lines above say what is not as it should be.",
    OPEN: "NOT VERIFIED: nothing is wrong, but what is marked OPEN could not be checked.",
}
CHECKS: tuple[tuple[str, Callable[[Pack], str]], ...] = (
    ("manifest", check_manifest),
    ("files", check_files),
    ("events", check_events),
    ("checkpoints", check_notes),
    ("key", check_key),
    ("signatures", check_signatures),
    ("tree", check_tree),
)


def verify(pack: Pack, tell: Callable[[str, str, str], object]) -> int:
    """Make every check, tell what came of it, and return how it ended."""
    ended = set()
    for name, check in CHECKS:
        try:
            tell("ok", name, check(pack))
        except Unchecked as reason:
            ended.add(OPEN)
            tell("OPEN", name, str(reason))
        except Wrong as wrong:
            ended.add(WRONG)
            for sentence in wrong.args:
                tell("WRONG", name, sentence)
        except Exception as error:  # noqa: BLE001 - also what nobody has thought of is a sentence
            ended.add(WRONG)
            tell("WRONG", name, f"cannot be read: {error!r}")
        if check is check_manifest and ended:
            break
    return WRONG if WRONG in ended else max(ended, default=VERIFIED)


class _Arguments(argparse.ArgumentParser):
    """Arguments; if they are wrong, the exit code is not that of what could not be checked."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG, f"WRONG: {message}\n")


def main() -> int:
    """Verify the pack that the arguments name, and return the exit code."""
    parser = _Arguments(description="Verifies an unpacked evidence pack.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent)
    parser.add_argument(
        "--key",
        action="append",
        default=[],
        help="the public key that you were given; of a log whose key was rotated, each of them",
    )
    given = parser.parse_args()
    pack = Pack(given.folder, {}, given.key)
    try:
        pack.manifest = read_manifest(given.folder)
        code = verify(pack, _tell)
    except Wrong as wrong:
        code = WRONG
        _tell("WRONG", "manifest", str(wrong))
    sys.stdout.write(f"\n{VERDICTS[code]}\n")
    for sentence in shown(pack) if code == VERIFIED else ():
        sys.stdout.write(f"{_plain(sentence)}\n")
    return code


def _tell(state: str, check: str, sentence: str) -> None:
    sys.stdout.write(f"{state:7}{check:13}{_plain(sentence)}\n")


def _plain(sentence: str) -> str:
    plain = sentence[:LONGEST_SENTENCE].encode("ascii", "backslashreplace").decode()
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in plain)


if __name__ == "__main__":
    sys.exit(main())
