"""`taskflow check`: what a configuration would serve, and what is wrong with it."""

from __future__ import annotations

from typing import assert_never

from adapters.cli.asks import Check
from adapters.cli.check_report import Startable, Unstartable
from adapters.cli.check_tables import problem_table, report_tables, verdict
from adapters.cli.dependencies import Dependencies
from adapters.cli.exits import Exit
from adapters.cli.terminal import Terminal
from adapters.presentation.documents import document
from adapters.presentation.printable import counted


def check(ask: Check, tools: Dependencies, terminal: Terminal) -> Exit:
    """Report what a configuration would serve."""
    report = tools.check(ask.config)
    match report:
        case Startable():
            _report(report, ask, terminal)
            return Exit.FINDINGS if _is_found(report, ask) else Exit.DONE
        case Unstartable():
            _refuse(report, ask, terminal)
            return Exit.TROUBLE
        case _:
            assert_never(report)


def _is_found(report: Startable, ask: Check) -> bool:
    return bool(report.skipped) or (ask.strict and bool(report.advice))


def _report(report: Startable, ask: Check, terminal: Terminal) -> None:
    if ask.json:
        terminal.dump({"startable": True, **document(report)})
    else:
        terminal.show(*report_tables(report), verdict(report))


def _refuse(report: Unstartable, ask: Check, terminal: Terminal) -> None:
    if ask.json:
        terminal.dump({"startable": False, **document(report)})
    else:
        terminal.show(problem_table(report))
    problems = counted(len(report.problems), "problem")
    terminal.complain(f"the gateway would not start with {ask.config}: {problems}")
