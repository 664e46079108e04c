"""`taskflow audit keygen`: a key that signs checkpoints, the first one or the next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from attrs import frozen

from adapters.cli.command import CliCommand
from adapters.cli.dependencies import CommandError, Dependencies
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.help_text import HelpPage
from adapters.cli.options import CONFIG, argument, flag, option
from adapters.cli.terminal import Terminal

PAGE: Final = HelpPage(
    name="keygen",
    help="make a key that signs checkpoints",
    description="""\
Makes an Ed25519 key, writes it to FILE, which only you can read, and prints
the public key that belongs to it. Let the gateway's configuration refer to
FILE, and give the public key to everybody who is to verify: it is no secret.
A key that is lost cannot be made again, so that nothing is ever written over
one.

With --rotate the key takes the place of the one that a configuration has,
under the same name: the file of checkpoints goes on, and those who verify need
both public keys. What is left to do is said on standard error.""",
    examples="""\
  taskflow audit keygen signing.key --name flows.example.com/main
  taskflow audit keygen signing-2.key --rotate --config gateway.json5""",
    codes=exit_codes(
        done="made; standard output has the public key",
        trouble="""wrong arguments, FILE exists, or it cannot be written; with
     --rotate also: the present key does not fit its file of checkpoints""",
    ),
)


@frozen(kw_only=True)
class Keygen(CliCommand):
    """Make a key."""

    page = PAGE

    file: Path = argument("FILE", "where the private key goes", read=Path)
    name: str | None = option("NAME", "the key's name, best the log's own: a URL without https://")
    rotate: bool = flag("put the key in the place of the configuration's one")
    config: Path | None = option("FILE", CONFIG, read=Path)

    def run(self, given: Dependencies, terminal: Terminal) -> Exit:
        """Make it, and say its public part."""
        if self.rotate:
            return self._rotate(given, terminal)
        if self.name is None:
            raise CommandError("say how the key is called: --name NAME (or see --rotate)")
        terminal.say(given.proving.keygen(self.file, self.name))
        return Exit.DONE

    def _rotate(self, given: Dependencies, terminal: Terminal) -> Exit:
        if self.config is None or self.name is not None:
            raise CommandError("--rotate takes the name from --config FILE, and not from --name")
        made = given.proving.rotate(self.file, self.config)
        terminal.say(made.public_key)
        keys = json.dumps(list(made.previous_keys), ensure_ascii=False)
        terminal.complain(
            f"1. in {self.config}, let taskflow.audit.key refer to {self.file}, and write beside"
            f" it: previousKeys: {keys},\n"
            f"2. taskflow check --config {self.config}, and taskflow reload with the same\n"
            f"3. taskflow audit checkpoint --config {self.config}: the first one by the new key\n"
            "4. give the public key above to everybody who verifies, beside the present one\n"
            "5. destroy the present private key; keep its public key for ever"
        )
        return Exit.DONE
