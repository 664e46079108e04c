"""`taskflow audit keygen`: a key that signs checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Final

from attrs import frozen

from adapters.cli.arguments import Commands
from adapters.cli.audit.ask import AuditAsk
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.manual import Page
from adapters.cli.parser import some_text
from adapters.cli.terminal import Terminal
from adapters.cli.tools import Tools

PAGE: Final = Page(
    help="make a key that signs checkpoints",
    description="""\
Makes an Ed25519 key, writes it to FILE, which only you can read, and prints
the public key that belongs to it. Let the gateway's configuration refer to
FILE, and give the public key to everybody who is to verify: it is no secret.
A key that is lost cannot be made again; a new one wants a new checkpoints
file.""",
    epilog="""\
examples:
  taskflow audit keygen signing.key --name flows.example.com/main
  taskflow audit keygen var/signing.key --name taskflow

"""
    + exit_codes(
        done="made; standard output has the public key",
        findings="not used",
        trouble="wrong arguments, FILE exists, or it cannot be written",
    ),
)


@frozen(kw_only=True)
class Keygen(AuditAsk):
    """Make a key."""

    needs_store: ClassVar[bool] = False

    file: Path
    name: str

    def do(self, tools: Tools, terminal: Terminal) -> Exit:
        """Make it, and say its public part."""
        terminal.say(tools.proving.keygen(self.file, self.name))
        return Exit.DONE


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_ask("keygen", PAGE, Keygen)
    parser.add_argument("file", metavar="FILE", type=Path, help="where the private key goes")
    parser.add_argument(
        "--name",
        metavar="NAME",
        type=some_text,
        required=True,
        help="the key's name, best the log's own: a URL without https://",
    )
