"""One command, from its arguments to its exit code; every failure ends in a sentence and a code."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import Any, TextIO

from adapters.cli.command import CliCommand, StoreCommand
from adapters.cli.commands import program
from adapters.cli.dependencies import Dependencies
from adapters.cli.exits import Exit
from adapters.cli.failing import fail
from adapters.cli.parser import Parser
from adapters.cli.sharding import run_on_shards
from adapters.cli.terminal import Terminal, open_terminal


def run(argv: Sequence[str], given: Dependencies, *, out: TextIO, err: TextIO) -> int:
    """Do what the arguments after the program's name ask for, and return the exit code.

    Results are written to `out`, everything else to `err`. It raises nothing.
    """
    terminal = open_terminal(out, err)
    try:
        command = _parsed(argv, terminal)
        code = command if isinstance(command, Exit) else _run(command, given, terminal)
        out.flush()
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        terminal.abandon_output()
        return Exit.CLOSED_PIPE
    except Exception as error:  # noqa: BLE001 - a fault must not exit with 1, which means findings
        terminal.abandon_output()
        return fail(error, terminal)
    return code


def _run(command: CliCommand, given: Dependencies, terminal: Terminal) -> int:
    if isinstance(command, StoreCommand):
        return run_on_shards(command, given, terminal)
    return command.run(given, terminal)


def _parsed(argv: Sequence[str], terminal: Terminal) -> CliCommand | Exit:
    """Return the command that was asked for, or how help or a refusal ended."""
    try:
        with redirect_stdout(terminal.out), redirect_stderr(terminal.err):
            return _command(**vars(program().parse_args(argv)))
    except SystemExit as stop:
        return Exit(int(stop.code or 0))


def _command(*, kind: type[CliCommand], parser: Parser, **options: Any) -> CliCommand:  # noqa: ANN401 - as argparse read them
    if issubclass(kind, StoreCommand) and not (options["config"] or options["database"]):
        parser.error("say which store: --config FILE or --database URL")
    return kind(**options)
