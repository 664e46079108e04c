"""Checkpoints in text and in documents."""

from __future__ import annotations

from base64 import b64encode

from adapters.presentation.documents import JsonDocument
from adapters.presentation.printable import counted
from domain.tlog.checkpoints import Checkpoint


def in_base64(root: bytes) -> str:
    """Return a hash as it stands in checkpoints."""
    return b64encode(root).decode("ascii")


def checkpoint_document(checkpoint: Checkpoint) -> JsonDocument:
    """Return what a checkpoint says."""
    return {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": in_base64(checkpoint.root),
    }


def checkpoint_line(checkpoint: Checkpoint) -> str:
    """Return what a checkpoint says on a line."""
    return f"{counted(checkpoint.size, 'event')} of {checkpoint.origin}"
