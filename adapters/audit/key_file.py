"""A file that holds a signing key, which only its owner may read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from adapters.audit.keys import Signer, Verifier
from domain.audit.checkpoints import Unprovable

ReadBytes: TypeAlias = Callable[[Path], bytes]


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
        os.write(descriptor, f"{signer.secret_text()}\n".encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return signer.verifier


def read_key(file: Path, read: ReadBytes = Path.read_bytes) -> Signer:
    """Return the key that a file holds; `read` returns its bytes, or refuses a file.

    Raises:
        Unprovable: if it cannot be read or holds none.
    """
    try:
        text = read(file).decode().strip()
    except OSError as error:
        raise Unprovable(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Unprovable(f"{file}: is not text in UTF-8") from error
    return Signer.parse(text)
