"""What somebody may do to an unpacked pack of the events 20 to 73, and what is said of it then."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeAlias

from attrs import frozen

from adapters.audit.keys import Signer
from adapters.audit.notes import signed_note, split_notes
from adapters.audit.pack.verifier.events import PackedEvent

EVENTS, NOTES, STRETCHES = "events.ndjson", "checkpoints.txt", "proofs/stretches.ndjson"
ANOTHER_ROOT: Final = "the root of the checkpoint over .* events is another"
MALLORY: Final = Signer.generate("taskflow.example")

Lines: TypeAlias = list[bytes]


@frozen
class Forgery:
    """What somebody does to a pack, and what is said of it: a pattern for each check."""

    does: Callable[[Path], object]
    found: dict[str, str]


def edits(name: str, edit: Callable[[Lines], object]) -> Callable[[Path], None]:
    """Return who edits the lines of a file."""

    def forge(folder: Path) -> None:
        lines = (folder / name).read_bytes().splitlines(keepends=True)
        edit(lines)
        (folder / name).write_bytes(b"".join(lines))

    return forge


def restored(edit: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """Return who changes the fifth event so that its line reads as if it had been stored so."""

    def change(lines: Lines) -> None:
        read = json.loads(lines[4])
        read["stored"] = base64.b64decode(read["stored"])
        edit(read)
        place = (read[name] for name in ("position", "flowId", "version", "name", "stored"))
        lines[4] = PackedEvent(*place).line()

    return edits(EVENTS, change)


def numbered(lines: Lines) -> None:
    """Leave out the fifth event and move the others up."""
    del lines[4]
    for index, text in enumerate(lines):
        lines[index] = re.sub(b'"position":[0-9]+', b'"position":%d' % (20 + index), text)


def notes(edit: Callable[[list[bytes]], object]) -> Callable[[Path], None]:
    """Return who edits the checkpoints, one by one."""

    def forge(folder: Path) -> None:
        whole = list(split_notes((folder / NOTES).read_bytes()).whole)
        edit(whole)
        (folder / NOTES).write_bytes(b"".join(note + b"\n" for note in whole))

    return forge


def signed_anew(whole: list[bytes]) -> None:
    """Sign every checkpoint with a key of the same name, each following on the one before it."""
    before = b""
    for index, note in enumerate(whole):
        text = note.decode().partition("\n\n")[0] + "\n"
        if before:
            digest = base64.b64encode(sha256(before).digest()).decode()
            text = re.sub("previous .*", lambda _: f"previous {digest}", text)  # noqa: B023 - used at once
        before = whole[index] = signed_note(text, MALLORY).encode()


def misaligned(lines: Lines) -> None:
    """Let a stretch begin where no subtree of its size does."""
    _, _, hashed = lines[0].partition(b',"hash"')
    lines[0:1] = [b'{"first":%d,"last":%d,"hash"' % bounds + hashed for bounds in ((1, 1), (2, 3))]


def manifest(edit: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """Return who edits the manifest."""

    def forge(folder: Path) -> None:
        path = folder / "manifest.json"
        read = json.loads(path.read_bytes())
        edit(read)
        path.write_text(json.dumps(read))

    return forge


def rehash(folder: Path) -> None:
    """Write the sizes and the hashes of all files into the manifest."""

    def edit(read: dict[str, Any]) -> None:
        for file in read["files"]:
            if (folder / file["name"]).exists():
                octets = (folder / file["name"]).read_bytes()
                file.update(bytes=len(octets), sha256=sha256(octets).hexdigest())

    manifest(edit)(folder)


def swap(lines: Lines, one: int, other: int) -> None:
    lines[one], lines[other] = lines[other], lines[one]


def replace(lines: Lines, number: int, old: bytes, new: bytes) -> None:
    assert old in lines[number]
    lines[number] = lines[number].replace(old, new)


def resign(folder: Path) -> None:
    notes(signed_anew)(folder)
    manifest(lambda m: m.update(publicKey=str(MALLORY.verifier)))(folder)


FORGERIES: Final = {
    "a word of what an event says": Forgery(
        edits(EVENTS, lambda lines: replace(lines, 4, b'"running"', b'"blocked"')),
        {"events": "position 24: its line is not what its stored bytes say"},
    ),
    "who did it": Forgery(
        edits(EVENTS, lambda lines: replace(lines, 4, b'"zapier"', b'"mallet"')),
        {"events": "position 24: its line is not what its stored bytes say"},
    ),
    "a byte of what was stored, and what it says": Forgery(
        restored(lambda event: event.update(stored=event["stored"].replace(b"zapier", b"mallet"))),
        {"tree": ANOTHER_ROOT},
    ),
    "the name of an event": Forgery(
        restored(lambda event: event.update(name="taskflow.flow_failed.v1")), {"tree": ANOTHER_ROOT}
    ),
    "the flow of an event": Forgery(
        restored(lambda event: event.update(flowId="another")),
        {"events": "version 7 is left out", "tree": ANOTHER_ROOT},
    ),
    "the version of an event": Forgery(
        restored(lambda event: event.update(version=70)),
        {"events": "versions 7 to 69 are left out", "tree": ANOTHER_ROOT},
    ),
    "the order of two events": Forgery(
        edits(EVENTS, lambda lines: swap(lines, 4, 5)),
        {"events": "position 24 is left out", "tree": "position 24 is neither"},
    ),
    "an event that is left out": Forgery(
        edits(EVENTS, lambda lines: lines.pop(4)),
        {"events": "position 24 is left out", "tree": "position 24 is neither"},
    ),
    "an event that is left out, and the others moved up": Forgery(
        edits(EVENTS, numbered),
        {"events": "version 7 is left out", "tree": ANOTHER_ROOT},
    ),
    "the last event": Forgery(
        edits(EVENTS, lambda lines: lines.pop()),
        {"events": "position 73 is left out", "tree": "position 73 is neither"},
    ),
    "an event twice": Forgery(
        edits(EVENTS, lambda lines: lines.insert(4, lines[4])),
        {"events": "position 24: it is not in order", "tree": "position 25 is neither"},
    ),
    "a line that is no event": Forgery(
        edits(EVENTS, lambda lines: lines.insert(4, b"{}\n")),
        {"events": "events.ndjson, line 5: it is not", "tree": "events.ndjson, line 5: it is not"},
    ),
    "the hash of a stretch": Forgery(
        edits(STRETCHES, lambda lines: replace(lines, 0, b'hash":"', b'hash":"0000')),
        {"tree": "stretches.ndjson, line 1: it is not a stretch"},
    ),
    "two stretches": Forgery(
        edits(STRETCHES, lambda lines: swap(lines, 0, 1)), {"tree": "position 1 is neither"}
    ),
    "where the stretches begin": Forgery(
        edits(STRETCHES, misaligned), {"tree": "a stretch of 2 events cannot begin after 1"}
    ),
    "a stretch that is left out": Forgery(
        edits(STRETCHES, lambda lines: lines.pop()), {"tree": "events or stretches are missing"}
    ),
    "a stretch too many": Forgery(
        edits(STRETCHES, lambda lines: lines.append(lines[-1])), {"tree": "position 81 is neither"}
    ),
    "the root of a checkpoint": Forgery(
        notes(lambda whole: replace(whole, 1, b"\n40\n", b"\n41\n")),
        {
            "signatures": "checkpoint 2 is not signed by taskflow.example",
            "checkpoints": "checkpoint 3 does not follow",
            "tree": ANOTHER_ROOT,
        },
    ),
    "the last checkpoint": Forgery(
        notes(lambda whole: whole.pop()),
        {"checkpoints": "no checkpoint covers the end", "tree": "there is more behind"},
    ),
    "a checkpoint between others": Forgery(
        notes(lambda whole: whole.pop(1)), {"checkpoints": "checkpoint 2 does not follow"}
    ),
    "the key of all checkpoints": Forgery(resign, {"key": "the pack was made for another key"}),
    "the key of all checkpoints, but not the one that is named": Forgery(
        notes(signed_anew), {"signatures": "checkpoint 1 is not signed by taskflow.example"}
    ),
    "the rest of a checkpoint": Forgery(
        lambda folder: (folder / NOTES).write_bytes((folder / NOTES).read_bytes()[:-9]),
        {
            "checkpoints": "checkpoint 3 is not one",
            "signatures": "checkpoint 3 is not one",
            "tree": "checkpoint 3 is not one",
        },
    ),
    "something behind the checkpoints": Forgery(
        lambda folder: (folder / NOTES).write_bytes((folder / NOTES).read_bytes() + b"more"),
        {
            "checkpoints": "what stands at its end is no checkpoint",
            "signatures": "what stands at its end is no checkpoint",
            "tree": "what stands at its end is no checkpoint",
        },
    ),
    "a file that is missing": Forgery(
        lambda folder: (folder / "README.txt").unlink(), {"files": "README.txt is missing"}
    ),
    "a file that does not belong there": Forgery(
        lambda folder: (folder / "proofs" / "more.txt").write_bytes(b""),
        {"files": "proofs/more.txt does not belong here"},
    ),
}


IN_THE_MANIFEST: Final = {
    "its format": Forgery(
        manifest(lambda m: m.update(format="v9")), {"manifest": "it is not of the format"}
    ),
    "its key": Forgery(
        manifest(lambda m: m.update(publicKey=str(MALLORY.verifier))),
        {
            "key": "the pack was made for another key",
            "signatures": "checkpoint 1 is not signed by taskflow.example",
        },
    ),
    "a letter of its key": Forgery(
        manifest(lambda m: m.update(publicKey=m["publicKey"].replace(".", ":"))),
        {"key": "is mistyped: its id is not", "signatures": "is mistyped: its id is not"},
    ),
    "its first position": Forgery(
        manifest(lambda m: m["range"].update(first=19)), {"events": "position 19 is left out"}
    ),
    "its last position": Forgery(
        manifest(lambda m: m["range"].update(last=72)),
        {"events": "position 73: it is not in order, or not in the range"},
    ),
    "a last position that nobody has signed": Forgery(
        manifest(lambda m: m["range"].update(last=81)),
        {"events": "from position 74 to 81 is left out", "checkpoints": "no checkpoint covers"},
    ),
    "its flow": Forgery(
        manifest(lambda m: m["range"].update(flowId="another")), {"events": "position 20: "}
    ),
    "its count": Forgery(
        manifest(lambda m: m.update(events=55)), {"events": "the manifest says 55"}
    ),
    "a file that it does not list": Forgery(
        manifest(lambda m: m["files"].pop()), {"files": "README.txt: the manifest does not list it"}
    ),
    "a hash": Forgery(
        manifest(lambda m: m["files"][0].update(sha256="0" * 64)),
        {"files": "events.ndjson was changed"},
    ),
}
