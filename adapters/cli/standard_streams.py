"""The standard streams of the program, also where it was started without one of them."""

from __future__ import annotations

import os
import sys
from typing import Final, TextIO

_INSTEAD: Final = (os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)
"""How `/dev/null` stands in for each: results that go nowhere are an error, complaints are not."""


def standard_streams() -> tuple[TextIO, TextIO]:
    """Return standard output and standard error; call this before any file is opened.

    NOTE: a system gives the lowest free descriptor to the next file that is opened. Were that 2,
    all that is written to standard error would be written into the store.
    """
    for descriptor, flags in enumerate(_INSTEAD):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, flags), True)  # noqa: FBT003 - the only argument
    sys.stdout, sys.stderr = _stream(sys.stdout, 1), _stream(sys.stderr, 2)
    return sys.stdout, sys.stderr


def _stream(stream: TextIO | None, descriptor: int) -> TextIO:
    # NOTE: where a descriptor was closed, Python has no stream.
    return stream or open(descriptor, "w", closefd=False, encoding="utf-8")
