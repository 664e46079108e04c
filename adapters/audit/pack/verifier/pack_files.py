"""The files of an unpacked pack, which are opened with care."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG
from typing import Any, BinaryIO

from adapters.audit.pack.verifier.forms import Wrong, read_strictly

EVENTS, STRETCHES, CHECKPOINTS = "events.ndjson", "proofs/stretches.ndjson", "checkpoints.txt"
OURS = ("verify.py", "README.txt")
MANIFEST, FOLDER = "manifest.json", "proofs"
FILES = (EVENTS, STRETCHES, CHECKPOINTS, *OURS)
LONGEST_MANIFEST = 1 << 20


@dataclass
class Pack:
    """An unpacked evidence pack, and the public keys that its reader was given.

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

    def open(self, name: str) -> BinaryIO:
        """Open a file if it is a regular one: no link, which may lead anywhere, no pipe."""
        path = self.folder / name
        try:
            if not S_ISREG(path.lstat().st_mode):
                raise Wrong(f"{name} is no regular file")
            careful = ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY")
            flags = sum(getattr(os, flag, 0) for flag in careful)
            return os.fdopen(os.open(path, os.O_RDONLY | flags), "rb")
        except OSError as error:
            raise Wrong(f"{name} cannot be read: {error.strerror}") from error

    def lines(self, name: str, longest: int) -> Iterator[tuple[int, bytes]]:
        """Return the lines of a file with their numbers, never more of it than a long line."""
        number = 0
        with self.open(name) as file:
            while text := file.readline(longest + 1):
                number += 1
                if len(text) > longest:
                    raise Wrong(f"{name}, line {number}: it is longer than any line of a pack")
                yield number, text


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return what the manifest in a folder says; its form is checked by `check_manifest`."""
    with Pack(folder, {}, []).open(MANIFEST) as file:
        octets = file.read(LONGEST_MANIFEST + 1)
    if len(octets) > LONGEST_MANIFEST:
        raise Wrong(f"{MANIFEST} cannot be read: it is longer than any manifest")
    try:
        manifest = read_strictly(octets.decode())
    except (ValueError, RecursionError, MemoryError) as error:
        raise Wrong(f"{MANIFEST} cannot be read: {error}") from error
    return manifest if isinstance(manifest, dict) else {}
