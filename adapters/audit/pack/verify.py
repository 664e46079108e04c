"""Verifies an evidence pack: python3 verify.py [FOLDER] [--key KEY]...

This file imports nothing but Python's own library (3.11 or later), and the package `cryptography`
for signatures if it is there. It is long, so that it is all there is to read. It writes a line for
each check and a verdict, and exits with

  0  verified: all is as it was signed
  1  something is wrong: the lines say what
  2  nothing is wrong, but not everything could be checked

Sources: RFC 9162 §2.1 (the tree), C2SP signed-note and tlog-checkpoint (the checkpoints).
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from functools import cache
from hashlib import sha256
from heapq import merge
from pathlib import Path
from struct import pack as packed
from typing import Any, NamedTuple

FORMAT = "taskflow.evidence_pack.v1"
EVENTS, STRETCHES, CHECKPOINTS = "events.ndjson", "proofs/stretches.ndjson", "checkpoints.txt"
OURS = ("verify.py", "README.txt")
FILES = (EVENTS, STRETCHES, CHECKPOINTS, *OURS)
MOST_TOLD, KEY_BYTES, ID_BYTES = 10, 32, 4
SIZES = [1 << level for level in range(64)]
VERIFIED, WRONG, OPEN = 0, 1, 2
DASH = "\u2014 ".encode()
SURROGATE, UNFIT = re.compile("[\ud800-\udfff]"), re.compile("[\n\r\t\ud800-\udfff]")


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


# A reader and a writer that are made once: making one takes longer than using it.
READ_FIELDS = json.JSONDecoder(parse_constant=_refuse).decode
READ_ANY = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse).decode
WRITE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
WRITE_ASCII = json.JSONEncoder(separators=(",", ":")).encode
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


class Pack(NamedTuple):
    """An unpacked evidence pack, and the public keys that whoever verifies it was given."""

    folder: Path
    manifest: dict[str, Any]
    given_keys: list[str]

    @property
    def keys(self) -> list[str]:
        """Return the public keys that the pack was made for: more than one, if one was rotated."""
        return [self.manifest["publicKey"], *self.manifest.get("previousKeys", [])]


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


def _readable(stored: bytes) -> Iterator[str]:
    """Return who did what and when, in public names; nothing if the bytes are not of our form."""
    try:
        fields = READ_FIELDS(stored.decode())
        event, metadata = dict(fields["event"]), dict(fields["metadata"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return
    if not TAKEN.isdisjoint(metadata):
        return
    yield f'"at":{_json(event.pop("at", None))}'
    for name, value in metadata.items():
        yield f"{_public(name)}:{_json(value)}"
    data = (f"{_public(name)}:{_embedded(name, value)}" for name, value in event.items())
    yield '"data":{{{}}}'.format(",".join(data))


@cache
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


def check_manifest(pack: Pack) -> str:
    """Check that the manifest is of the form that this file knows."""
    if pack.manifest["format"] != FORMAT:
        raise Wrong(f"it is not of the format {FORMAT}")
    return f"{FORMAT}, made by {pack.manifest['tool']}"


def check_files(pack: Pack) -> str:
    """Check that the files are those that the manifest lists, and no others."""
    listed = {file["name"]: file for file in pack.manifest["files"]}
    there = {str(f.relative_to(pack.folder)) for f in pack.folder.rglob("*") if f.is_file()}
    wrong = [f"{name}: the manifest does not list it" for name in FILES if name not in listed]
    wrong += [f"{name} is missing" for name in FILES if name not in there]
    wrong += [f"{name} does not belong here" for name in there - {*FILES, "manifest.json"}]
    for name in sorted(there & listed.keys() & {*FILES}):
        if _digest(pack.folder / name) != listed[name]["sha256"]:
            wrong.append(f"{name} was changed: its SHA-256 is not the manifest's")
    if wrong:
        raise Wrong(*wrong)
    return f"{len(FILES)} files are as the manifest says"


def _digest(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while octets := file.read(1 << 20):
            digest.update(octets)
    return digest.hexdigest()


def check_events(pack: Pack) -> str:
    """Check that each event reads as it was stored, in order, in the range, and all if it is so."""
    chosen, wrong, count = dict(pack.manifest["range"]), [], 0
    first, last, flow = chosen.pop("first"), chosen.pop("last"), chosen.get("flowId")
    before = first - 1
    for event, text in _events(pack):
        count += 1
        if line(event) != text:
            wrong.append(f"position {event.position}: its line is not what its stored bytes say")
        if not before < event.position <= last or flow not in {None, event.flow_id}:
            wrong.append(f"position {event.position}: it is not in order, or not in the range")
        elif not chosen and event.position != before + 1:
            wrong.append(f"{_span(before + 1, event.position - 1)} is left out")
        before = event.position
    if not chosen and before < last:
        wrong.append(f"{_span(before + 1, last)} is left out")
    if count != pack.manifest["events"]:
        wrong.append(f"there are {count} events, and the manifest says {pack.manifest['events']}")
    if wrong:
        raise Wrong(*wrong)
    told = f"{count} between positions {first} and {last} read as they were stored"
    by = ", ".join(f"{name} {value}" for name, value in chosen.items())
    return f"{told}; chosen by {by}" if chosen else f"{told}; none is left out"


def _span(first: int, last: int) -> str:
    return f"position {first}" if first == last else f"what stands from position {first} to {last}"


def _events(pack: Pack) -> Iterator[tuple[Event, bytes]]:
    with (pack.folder / EVENTS).open("rb") as file:
        for number, text in enumerate(file, 1):
            try:
                read = json.loads(text)
                stored = b64decode(read["stored"], validate=True)
                place = int(read["position"]), read["flowId"], int(read["version"]), read["name"]
                yield Event(*place, stored), text
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise Wrong(f"{EVENTS}, line {number}: it is not an event") from error


def check_notes(pack: Pack) -> str:
    """Check that the checkpoints are in order, of one log, and that the last covers the range."""
    notes, wrong = _notes(pack), []
    before: Note | None = None
    for number, note in enumerate(notes, 1):
        if note.previous is not None and not (before and note.previous in before.digests):
            wrong.append(f"checkpoint {number} does not follow on the one before it")
        if before and (note.size < before.size or note.origin != before.origin):
            wrong.append(f"checkpoint {number} is of another log, or an older one")
        before = note
    if before is None or before.size < pack.manifest["range"]["last"]:
        wrong.append("no checkpoint covers the end of the range")
    if wrong or before is None:
        raise Wrong(*wrong)
    return f"{len(notes)} of {before.origin} in order, the last over {before.size} events"


def _notes(pack: Pack) -> list[Note]:
    notes: list[Note] = []
    blocks: list[bytes] = []
    for block in (pack.folder / CHECKPOINTS).read_bytes().split(b"\n\n"):
        blocks.append(block)
        if block.startswith(DASH):
            octets, blocks = b"\n\n".join(blocks) + b"\n", []
            notes.append(_note(octets, len(notes) + 1))
    if blocks != [b""]:
        raise Wrong(f"{CHECKPOINTS}: what stands at its end is no checkpoint")
    return notes


def _note(octets: bytes, number: int) -> Note:
    try:
        text, _, signed = octets.decode().rpartition("\n\n")
        origin, size, root, *more = text.split("\n")
        previous = [word.split(" ")[1] for word in more if word.startswith("previous ")]
        lines = signed.removesuffix("\n").split("\n")
        split = [word.split(" ") for word in lines]
        signatures = [(name, b64decode(base64, validate=True)) for _, name, base64 in split]
        alone = [sha256(f"{text}\n\n{word}\n".encode()).digest() for word in lines]
        return Note(
            text=f"{text}\n",
            origin=origin,
            size=int(size),
            root=b64decode(root, validate=True),
            previous=previous[0] if previous else None,
            digests={b64encode(digest).decode() for digest in alone},
            signatures=signatures,
        )
    except (ValueError, IndexError) as error:
        raise Wrong(f"checkpoint {number} is not one") from error


def check_key(pack: Pack) -> str:
    """Check that the keys of the pack are among those that whoever verifies it was given."""
    for key in pack.keys:
        _key(key)
    shown = ", ".join(pack.keys)
    if not pack.given_keys:
        raise Unchecked(f"compare it with the key that you were given (or: --key KEY): {shown}")
    if others := [key for key in pack.keys if key not in pack.given_keys]:
        raise Wrong(*(f"the pack was made for another key: {key}" for key in others))
    return f"{shown}, as given"


def _key(text: str) -> tuple[str, bytes, bytes]:
    """Return the name, the id and the 32 bytes of a public key."""
    name, _, rest = text.partition("+")
    told, _, key = rest.partition("+")
    octets = b64decode(key, validate=True)
    key_id = sha256(f"{name}\n".encode() + octets).digest()[:ID_BYTES]
    if told != key_id.hex() or len(octets) != 1 + KEY_BYTES or octets[:1] != b"\x01":
        raise Wrong("the public key is mistyped")
    return name, key_id, octets[1:]


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
    wrong, notes = [], _notes(pack)
    for number, note in enumerate(notes, 1):
        signed = [(known.get((who, s[:ID_BYTES])), s[ID_BYTES:]) for who, s in note.signatures]
        ours = [(key, signature) for key, signature in signed if key]
        try:
            for key, signature in ours:
                key.verify(signature, note.text.encode())
        except InvalidSignature:
            ours = []
        if not ours:
            wrong.append(f"checkpoint {number} is not signed by {names}")
    if wrong:
        raise Wrong(*wrong)
    return f"{len(notes)} are good, by {names}"


def check_tree(pack: Pack) -> str:
    """Check that the events, with the hashes of those left out, lead to every signed root."""
    notes = sorted(_notes(pack), key=lambda note: note.size)
    parts, tree, good = _parts(pack), Tree(), 0
    for note in notes:
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
    return f"the events lead to the root of every checkpoint, {len(notes)} in all"


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
    with (pack.folder / STRETCHES).open("rb") as file:
        for number, text in enumerate(file, 1):
            try:
                read = json.loads(text)
                count = int(read["last"]) - int(read["first"]) + 1
                hashed = b64decode(read["hash"], validate=True)
                first, level = int(read["first"]), SIZES.index(count)
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise Wrong(f"{STRETCHES}, line {number}: it is not a stretch") from error
            yield first, level, hashed


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
            for sentence in wrong.args[:MOST_TOLD]:
                tell("WRONG", name, sentence)
            if len(wrong.args) > MOST_TOLD:
                tell("WRONG", name, f"and {len(wrong.args) - MOST_TOLD} more")
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            ended.add(WRONG)
            tell("WRONG", name, f"cannot be read: {error!r}")
    return WRONG if WRONG in ended else max(ended, default=VERIFIED)


def main() -> int:
    """Verify the pack that the arguments name, and return the exit code."""
    parser = argparse.ArgumentParser(description="Verifies an unpacked evidence pack.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent)
    parser.add_argument(
        "--key",
        action="append",
        default=[],
        help="the public key that you were given; of a log whose key was rotated, each of them",
    )
    given = parser.parse_args()
    try:
        manifest = json.loads((given.folder / "manifest.json").read_bytes())
        code = verify(Pack(given.folder, manifest, given.key), _tell)
    except (OSError, ValueError, RecursionError) as error:
        code = WRONG
        _tell("WRONG", "manifest", f"manifest.json cannot be read: {error}")
    sys.stdout.write(f"\n{VERDICTS[code]}\n")
    return code


def _tell(state: str, check: str, sentence: str) -> None:
    plain = sentence.encode("ascii", "backslashreplace").decode()
    shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in plain)
    sys.stdout.write(f"{state:7}{check:13}{shown}\n")


if __name__ == "__main__":
    sys.exit(main())
