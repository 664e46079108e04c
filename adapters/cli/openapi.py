"""`taskflow openapi`: what the gateway takes and answers, for programs that read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from attrs import frozen

from adapters.cli.command import CliCommand
from adapters.cli.dependencies import Dependencies
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.help_text import HelpPage
from adapters.cli.options import flag, option
from adapters.cli.output import Output
from adapters.cli.terminal import Terminal

PAGE: Final = HelpPage(
    name="openapi",
    help="print what the gateway takes and answers, as OpenAPI 3.1",
    description="""\
Prints an OpenAPI 3.1 document: every action with its fields, every answer with
its codes and headers, and examples. Generators make clients from it, and
testing tools try a gateway by it. It is made from the tables by which this
release decodes requests and words answers, and needs no configuration.""",
    examples="""\
  taskflow openapi | jq '.components.schemas | keys'
  taskflow openapi --output openapi.json --force""",
    codes=exit_codes(
        done="printed, or written",
        trouble="wrong arguments, FILE exists, or it cannot be written",
    ),
)


@frozen(kw_only=True)
class PrintOpenApi(CliCommand):
    """Print the OpenAPI document."""

    page = PAGE

    output: Path | None = option("FILE", "write it to FILE, whole or not at all", read=Path)
    force: bool = flag("replace FILE if it is a regular file")

    def run(self, given: Dependencies, terminal: Terminal) -> Exit:
        """Print it, or write it."""
        document = given.openapi()
        if self.output is None:
            terminal.dump(document)
            return Exit.DONE
        with Output(path=self.output, own={}, force=self.force).opened() as file:
            file.write(f"{json.dumps(document, indent=2)}\n".encode())
        return Exit.DONE
