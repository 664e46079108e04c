"""A file that holds a signing key, which only its owner may read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from adapters.audit.keys import Signer, Verifier
from adapters.audit.plain_file import opened_to_read
from domain.audit.checkpoints import Unprovable

_MOST: Final = 1 << 16
"""More bytes than any key has."""


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


def read_key(file: Path) -> Signer:
    """Return the key that a file holds.

    Raises:
        Unprovable: if it cannot be read or holds none.
    """
    try:
        with opened_to_read(file) as opened:
            text = opened.read(_MOST).decode().strip()
    except UnicodeDecodeError as error:
        raise Unprovable(f"{file}: is not text in UTF-8") from error
    return Signer.parse(text)
