"""One command, from its arguments to its exit code; every failure ends in a sentence and a code."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import TextIO, assert_never

from adapters.cli.asks import (
    Ask,
    CancelFlow,
    Check,
    ListFlows,
    RebuildStore,
    Reload,
    Serve,
    ShowFlow,
    SweepFlows,
)
from adapters.cli.audit.ask import AuditAsk
from adapters.cli.check import check
from adapters.cli.dependencies import CommandError, Dependencies
from adapters.cli.exits import Exit
from adapters.cli.flows.cancel import cancel_flow
from adapters.cli.flows.list import list_flows
from adapters.cli.flows.show import show_flow
from adapters.cli.flows.sweep import sweep_flows
from adapters.cli.options import parse
from adapters.cli.reload import reload
from adapters.cli.store.rebuild import rebuild_store
from adapters.cli.terminal import Terminal, open_terminal
from domain.application.ports import StoreUnavailable
from domain.flow.evolve import BrokenHistory
from domain.history.audit_log import UnreadableEvent
from domain.tlog.checkpoints import Unprovable


def run(argv: Sequence[str], tools: Dependencies, *, out: TextIO, err: TextIO) -> int:
    """Do what the arguments after the program's name ask for, and return the exit code.

    Results are written to `out`, everything else to `err`. It raises nothing.
    """
    terminal = open_terminal(out, err)
    try:
        ask = _understood(argv, terminal)
        code = ask if isinstance(ask, Exit) else _do(ask, tools, terminal)
        out.flush()
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        terminal.abandon_output()
        return Exit.CLOSED_PIPE
    except Exception as error:  # noqa: BLE001 - a fault must not exit with 1, which means findings
        terminal.abandon_output()
        return _fail(error, terminal)
    return code


def _understood(argv: Sequence[str], terminal: Terminal) -> Ask | Exit:
    try:
        with redirect_stdout(terminal.out), redirect_stderr(terminal.err):
            return parse(argv)
    except SystemExit as stop:
        return Exit(int(stop.code or 0))


def _do(ask: Ask, tools: Dependencies, terminal: Terminal) -> int:  # noqa: PLR0911 - a line a command
    match ask:
        case Serve():
            return _serve(ask, tools)
        case Check():
            return check(ask, tools, terminal)
        case Reload():
            return reload(ask, tools, terminal)
        case ListFlows():
            return list_flows(ask, tools, terminal)
        case ShowFlow():
            return show_flow(ask, tools, terminal)
        case CancelFlow():
            return cancel_flow(ask, tools, terminal)
        case SweepFlows():
            return sweep_flows(ask, tools, terminal)
        case RebuildStore():
            return rebuild_store(ask, tools, terminal)
        case AuditAsk():
            return ask.do(tools, terminal)
        case _:
            assert_never(ask)


def _serve(ask: Serve, tools: Dependencies) -> int:
    return tools.serve(
        ask.config,
        database=ask.database,
        host=ask.host,
        port=ask.port,
        wait=ask.wait,
        json=ask.json,
    )


def _fail(error: Exception, terminal: Terminal) -> Exit:
    match error:
        case CommandError() | Unprovable():
            terminal.complain(str(error))
        case StoreUnavailable():
            terminal.complain(f"the store cannot be used now: {error}")
        case BrokenHistory() | UnreadableEvent():
            terminal.complain(f"the store is damaged: {error}")
        case OSError():
            terminal.complain(_worded(error))
        case _:
            terminal.complain_as_it_is("".join(traceback.format_exception(error)))
            return Exit.FAULT
    return Exit.TROUBLE


def _worded(error: OSError) -> str:
    sentence = error.strerror or str(error)
    return sentence if error.filename is None else f"{error.filename}: {sentence}"
