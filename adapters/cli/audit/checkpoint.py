"""`taskflow audit checkpoint`: sign what the log is now."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from attrs import frozen

from adapters.cli.arguments import Commands, json_flag, store_options
from adapters.cli.audit.ask import AuditAsk
from adapters.cli.audit.checkpoint_words import checkpoint_document, checkpoints_option, in_base64
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.manual import STORE_TROUBLE, Page
from adapters.cli.progress import progress_on
from adapters.cli.terminal import Terminal
from adapters.cli.tools import Tools
from domain.audit.printable import counted, to_the_second

PAGE: Final = Page(
    help="append a signed checkpoint of the log as it is",
    description="""\
Appends one signed checkpoint to a file outside the database: how many events
the log has, and the root of the Merkle tree over them. A gateway with a key
does this by itself. Whoever keeps a copy can tell later whether anything up to
it was changed; so keep copies where who writes the store cannot write. A log
that is not the one of the last checkpoint is not signed.""",
    epilog="""\
examples:
  taskflow audit checkpoint --config gateway.json5
  taskflow audit checkpoint --database sqlite:///var/taskflow.db \\
      --key signing.key --checkpoints taskflow.checkpoints

"""
    + exit_codes(
        done="appended, and synced",
        findings="not used",
        trouble=f"{STORE_TROUBLE},\n     no key, or the log is not the one of the last checkpoint",
    ),
)


@frozen(kw_only=True)
class TakeCheckpoint(AuditAsk):
    """Append a checkpoint."""

    checkpoints: Path | None
    key: Path | None
    json: bool

    def do(self, tools: Tools, terminal: Terminal) -> Exit:
        """Append it, and say what it says."""
        with (
            tools.open_evidence(self.config, self.database) as evidence,
            progress_on(terminal.err, "hashing") as progress,
        ):
            made = tools.proving.checkpoint(
                evidence,
                config=self.config,
                file=self.checkpoints,
                key=self.key,
                progress=progress,
            )
        if self.json:
            terminal.dump(checkpoint_document(made))
        else:
            terminal.say(f"Signed {counted(made.size, 'event')} of {made.origin}")
            terminal.say(f"Root {in_base64(made.root)}")
            terminal.say(f"Time {to_the_second(made.at or 0)}")
        return Exit.DONE


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_ask("checkpoint", PAGE, TakeCheckpoint)
    checkpoints_option(parser)
    parser.add_argument(
        "--key",
        metavar="FILE",
        type=Path,
        help="the signing key, as keygen wrote it, instead of what the\nconfiguration says; "
        "nobody else may be able to\nchange it, or a folder above it",
    )
    store_options(parser)
    json_flag(parser)
