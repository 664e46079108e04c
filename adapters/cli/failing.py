"""What is said of a command that could not work, and its exit code."""

from __future__ import annotations

import traceback

from adapters.cli.dependencies import CommandError
from adapters.cli.exits import Exit
from adapters.cli.terminal import Terminal
from domain.application.ports import StoreUnavailable
from domain.flow.evolve import BrokenHistory
from domain.history.audit_log import UnreadableEvent
from domain.tlog.checkpoints import Unprovable


def fail(error: Exception, terminal: Terminal) -> Exit:
    """Say what went wrong: a sentence, or the traceback of a fault of ours."""
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
