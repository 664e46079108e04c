"""The exit codes of every command, and their wording in `--help`."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """How a command ended; scripts may rely on these numbers."""

    DONE = 0
    FINDINGS = 1
    """It worked, and there is something to look at: a finding, a refusal, an unknown flow."""
    TROUBLE = 2
    """It could not work: the arguments, the configuration, the store or the machine."""
    FAULT = 70
    """This program is wrong. The number is `EX_SOFTWARE` of sysexits(3)."""
    INTERRUPTED = 130
    """Ctrl-C, as shells count it: 128 and the signal's number."""
    CLOSED_PIPE = 141
    """Whoever read the output stopped reading, as shells count it."""


ALL_CODES = """\
exit codes of every command:
  0    done, and nothing to look at
  1    findings, or refused; each command's own help says what that is
  2    wrong arguments, configuration or store: standard error says in one
       sentence what to correct
  70   a fault of this program: standard error has its traceback
  130  interrupted with Ctrl-C
  141  the reader of the output went away"""


def exit_codes(*, done: str, trouble: str, findings: str = "not used") -> str:
    """Return the part of a command's help that says what its own codes mean."""
    return (
        f"exit codes (the others: taskflow --help):\n  0  {done}\n  1  {findings}\n  2  {trouble}"
    )
