"""The manifest, whose form is known, and the files that it lists."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from hashlib import sha256
from stat import S_ISDIR, S_ISREG
from typing import Any

from adapters.audit.pack.verifier.forms import Wrong, Wrongs, is_count, is_name
from adapters.audit.pack.verifier.pack_files import FILES, FOLDER, MANIFEST, Pack

FORMAT = "taskflow.evidence_pack.v1"
CHUNK = 1 << 20


def _matches(pattern: str) -> Callable[[object], bool]:
    form = re.compile(pattern)
    return lambda value: isinstance(value, str) and form.fullmatch(value) is not None


def _are_names(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(map(is_name, value))


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


_is_time = _matches("[-+0-9:.TZ]{1,40}")
RANGE: dict[str, Callable[[object], bool]] = {
    "first": is_count,
    "last": is_count,
    "flowId": is_name,
    "owner": is_name,
    "since": _is_time,
    "until": _is_time,
}
FILE: dict[str, Callable[[object], bool]] = {
    "name": FILES.__contains__,
    "bytes": lambda value: is_count(value, 0),
    "sha256": _matches("[0-9a-f]{64}"),
}
MANIFEST_FIELDS: dict[str, Callable[[object], bool]] = {
    "format": FORMAT.__eq__,
    "tool": _matches("[-+.0-9A-Za-z ]{1,99}"),
    "publicKey": is_name,
    "range": _is_range,
    "events": is_count,
    "files": _is_list_of_files,
    "previousKeys": _are_names,
}


def check_manifest(pack: Pack) -> str:
    """Check that the manifest is of the form that this file knows."""
    if pack.manifest.get("format") != FORMAT:
        raise Wrong(f"it is not of the format {FORMAT}")
    if {*pack.manifest, "previousKeys"} != MANIFEST_FIELDS.keys():
        raise Wrong(f"its fields are {', '.join(MANIFEST_FIELDS)} (this one not always)")
    wrongs = Wrongs()
    for name, held in pack.manifest.items():
        if not MANIFEST_FIELDS[name](held):
            wrongs.add(f"its field {name} is not what it should be")
    wrongs.check()
    return f"{FORMAT}, made by {pack.manifest['tool']}"


def check_files(pack: Pack) -> str:
    """Check that the files are those that the manifest lists, and no others."""
    listed, wrongs = {file["name"]: file for file in pack.manifest["files"]}, Wrongs()
    for name in FILES:
        if name not in listed:
            wrongs.add(f"{name}: the manifest does not list it")
    there = set()
    for name, is_fine in _found(pack):
        if name not in {*FILES, MANIFEST, FOLDER}:
            wrongs.add(f"{name} does not belong here")
            continue
        there.add(name)
        if not is_fine:
            wrongs.add(f"{name} is no regular {'folder' if name == FOLDER else 'file'}")
        elif name in listed and not _is_as_listed(pack, listed[name]):
            wrongs.add(f"{name} was changed: its SHA-256 is not the manifest's")
    for name in FILES:
        if name not in there:
            wrongs.add(f"{name} is missing")
    wrongs.check()
    return f"{len(FILES)} files are as the manifest says"


def _found(pack: Pack) -> Iterator[tuple[str, bool]]:
    """Return the names in the folder and in the one within it, and whether each may be read."""
    for inside in ("", FOLDER):
        if inside and ((folder := pack.folder / inside).is_symlink() or not folder.is_dir()):
            return
        with os.scandir(pack.folder / inside) as entries:
            for entry in entries:
                name = f"{inside}/{entry.name}" if inside else entry.name
                mode = entry.stat(follow_symlinks=False).st_mode
                yield name, S_ISDIR(mode) if name == FOLDER else S_ISREG(mode)


def _is_as_listed(pack: Pack, listed: dict[str, Any]) -> bool:
    digest = sha256()
    with pack.open(listed["name"]) as file:
        if os.fstat(file.fileno()).st_size != listed["bytes"]:
            return False
        # What is empty has no end that can be waited for: no file of a pack holds a NUL.
        while (octets := file.read(CHUNK)) and b"\0" not in octets:
            digest.update(octets)
    return not octets and digest.hexdigest() == listed["sha256"]
