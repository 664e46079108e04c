"""What several commands say of checkpoints, and the options by which they are named."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

from adapters.cli.arguments import text_option
from adapters.cli.documents import Document
from adapters.cli.parser import Parser
from domain.audit.checkpoints import Checkpoint
from domain.audit.printable import counted, to_the_second


def checkpoints_option(parser: Parser) -> None:
    """Add the file of the log's own checkpoints."""
    parser.add_argument(
        "--checkpoints",
        metavar="FILE",
        type=Path,
        help="the log's checkpoints, instead of what the configuration says",
    )


def public_key_option(parser: Parser) -> None:
    """Add the key by which checkpoints are signed."""
    text = "who signs, as keygen printed it, instead of the configuration's key"
    text_option(parser, "--public-key", "KEY", text)


def in_base64(root: bytes) -> str:
    """Return a hash as it stands in checkpoints."""
    return b64encode(root).decode("ascii")


def checkpoint_document(checkpoint: Checkpoint) -> Document:
    """Return what a checkpoint says; `time` is null where it has none."""
    return {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": in_base64(checkpoint.root),
        "time": checkpoint.at,
    }


def checkpoint_line(checkpoint: Checkpoint) -> str:
    """Return what a checkpoint says on a line."""
    when = "" if checkpoint.at is None else f", {to_the_second(checkpoint.at)}"
    return f"{counted(checkpoint.size, 'event')} of {checkpoint.origin}{when}"
