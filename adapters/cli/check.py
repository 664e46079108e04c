"""`taskflow check`: what a configuration would serve, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Final, assert_never

from attrs import frozen

from adapters.cli.check_report import Startable, Unstartable
from adapters.cli.check_tables import problem_table, report_tables, verdict
from adapters.cli.command import CliCommand
from adapters.cli.dependencies import Dependencies
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.help_text import HelpPage
from adapters.cli.options import (
    CONFIG,
    flag,
    json_flag,
    option,
)
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
        """Report what a configuration would serve."""
        report = given.check(self.config)
        match report:
            case Startable():
                _report(report, self, terminal)
                return Exit.FINDINGS if _is_found(report, self) else Exit.DONE
            case Unstartable():
                _refuse(report, self, terminal)
                return Exit.TROUBLE
            case _:
                assert_never(report)


def _is_found(report: Startable, ask: CheckConfiguration) -> bool:
    return bool(report.skipped) or (ask.strict and bool(report.advice))


def _report(report: Startable, ask: CheckConfiguration, terminal: Terminal) -> None:
    if ask.json:
        terminal.dump({"startable": True, **document(report)})
    else:
        terminal.show(*report_tables(report), verdict(report))


def _refuse(report: Unstartable, ask: CheckConfiguration, terminal: Terminal) -> None:
    if ask.json:
        terminal.dump({"startable": False, **document(report)})
    else:
        terminal.show(problem_table(report))
    problems = counted(len(report.problems), "problem")
    terminal.complain(f"the gateway would not start with {ask.config}: {problems}")
