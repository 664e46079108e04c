"""`taskflow check`: what a configuration would serve, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from attrs import frozen

from adapters.cli.check_report import Startable
from adapters.cli.check_tables import report_parts
from adapters.cli.command import CliCommand
from adapters.cli.dependencies import Dependencies
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.help_text import HelpPage
from adapters.cli.options import CONFIG, flag, json_flag, option
from adapters.cli.terminal import Terminal
from adapters.presentation.documents import document
from adapters.presentation.printable import counted

PAGE: Final = HelpPage(
    name="check",
    help="say what a configuration would serve, and what is wrong with it",
    description="""\
Reads a configuration as `serve` does and reports the routes that would be
served, those that would be skipped and why, and advice, with line numbers.
Secrets are resolved, and never printed. Nothing is served or written.""",
    examples="""\
  taskflow check --config gateway.json5
  taskflow check --config gateway.json5 --strict --json | jq .advice""",
    codes=exit_codes(
        done="every enabled route would be served",
        findings="a route would be skipped; with --strict also: there is advice",
        trouble="wrong arguments, or the gateway would not start",
    ),
)


@frozen(kw_only=True)
class CheckConfiguration(CliCommand):
    """Say what a configuration would serve."""

    page = PAGE

    config: Path = option("FILE", CONFIG, read=Path, required=True)
    strict: bool = flag("exit with 1 for advice too")
    json: bool = json_flag()

    def run(self, given: Dependencies, terminal: Terminal) -> Exit:
        """Report it."""
        report = given.check(self.config)
        if self.json:
            terminal.dump({"startable": isinstance(report, Startable), **document(report)})
        else:
            terminal.show(*report_parts(report))
        if isinstance(report, Startable):
            is_found = report.skipped or (self.strict and report.advice)
            return Exit.FINDINGS if is_found else Exit.DONE
        problems = counted(len(report.problems), "problem")
        terminal.complain(f"the gateway would not start with {self.config}: {problems}")
        return Exit.TROUBLE
