"""A file that holds a signing key, which only its owner may read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

from adapters.audit.keys import Signer, Verifier
from adapters.audit.plain_file import open_plain_file
from domain.tlog.checkpoints import Unprovable

_MOST: Final = 1 << 16
"""More bytes than any key has."""

ReadBytes: TypeAlias = Callable[[Path], bytes]


def read_plain(file: Path) -> bytes:
    """Return the bytes of a file or a pipe, as many as a key may have.

    Raises:
        Unprovable: if it cannot be read, or is something else.
    """
    with open_plain_file(file) as opened:
        return opened.read(_MOST)


def write_new_key(file: Path, name: str) -> Verifier:
    """Make a key, write it to a file that must not exist, and return its public part.

    Raises:
        Unprovable: if there is such a file already: a key that is lost is lost for ever.
        OSError: if it cannot be written.
    """
    signer = Signer.generate(name)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise Unprovable(
            f"{file}: there is such a file already, and no key is put over it"
        ) from error
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(f"{signer.secret_text()}\n".encode())
            opened.flush()
            os.fsync(descriptor)
    except BaseException:
        file.unlink()
        raise
    return signer.verifier


def read_key(file: Path, read: ReadBytes = read_plain) -> Signer:
    """Return the key that a file holds; `read` returns its bytes, or refuses a file.

    Raises:
        Unprovable: if it cannot be read or holds none.
    """
    try:
        text = read(file).decode().strip()
    except UnicodeDecodeError as error:
        raise Unprovable(f"{file}: is not text in UTF-8") from error
    return Signer.parse(text)
