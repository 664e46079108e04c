"""What several commands say of checkpoints, and the options by which they are named."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

from adapters.cli.parser import Parser, some_text
from adapters.presentation.documents import Document
from adapters.presentation.printable import counted
from domain.tlog.checkpoints import Checkpoint


def checkpoints_option(parser: Parser) -> None:
    """Add the file of the log's own checkpoints."""
    parser.add_argument(
        "--checkpoints",
        metavar="FILE",
        type=Path,
        help="the log's checkpoints, instead of what the configuration says",
    )


def public_keys_option(parser: Parser, *, required: bool = False) -> None:
    """Add the keys by which checkpoints are signed."""
    parser.add_argument(
        "--public-key",
        metavar="KEY",
        dest="public_keys",
        type=some_text,
        action="append",
        required=required,
        default=[],
        help="who signs, as keygen printed it"
        + ("" if required else ", instead of the configuration's\nkeys")
        + "; of a log whose key was rotated, repeat it",
    )


def in_base64(root: bytes) -> str:
    """Return a hash as it stands in checkpoints."""
    return b64encode(root).decode("ascii")


def checkpoint_document(checkpoint: Checkpoint) -> Document:
    """Return what a checkpoint says."""
    return {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": in_base64(checkpoint.root),
    }


def checkpoint_line(checkpoint: Checkpoint) -> str:
    """Return what a checkpoint says on a line."""
    return f"{counted(checkpoint.size, 'event')} of {checkpoint.origin}"
