"""`taskflow audit verify`: does the log still say what its checkpoints say?"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from attrs import field, frozen
from rich.table import Table

from adapters.cli.arguments import Commands, json_flag, store_options
from adapters.cli.audit.ask import AuditAsk
from adapters.cli.audit.checkpoint_words import (
    checkpoints_option,
    in_base64,
    public_keys_option,
)
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.manual import STORE_TROUBLE, Page
from adapters.cli.progress import progress_on
from adapters.cli.tables import REST, folded, table
from adapters.cli.terminal import Terminal
from adapters.cli.tools import Tools
from adapters.presentation.documents import Document, document
from adapters.presentation.printable import counted, printable, to_the_second
from domain.flow.values import Timestamp
from domain.history.audit_log import AuditLog
from domain.history.reading import recorded_at
from domain.tlog.checkpoints import KnownCheckpoints
from domain.tlog.rebuild_tree import rebuild_tree
from domain.tlog.verifying import Discrepancy, Verified, verified

PAGE: Final = Page(
    help="compare the whole log with its signed checkpoints",
    description="""\
Reads the whole log once, computes the Merkle tree over it, and compares it with
each checkpoint: those in the log's own file, which must never shrink, and what
you kept of it (--held), which that file must still have; witnesses may have
signed your copies, too. A changed, removed or added event that a checkpoint
covers is a finding, and so is a checkpoint that was changed, is of another log
or by another key. That one was removed is seen by what you kept. Of events
after the last checkpoint nothing is proven. Without checkpoints the root is
computed, and nothing is compared.""",
    epilog="""\
examples:
  taskflow audit verify --config gateway.json5
  taskflow audit verify --database sqlite:///copy.db \\
      --checkpoints taskflow.checkpoints --public-key "$KEY"
  taskflow audit verify --config gateway.json5 --public-key "$KEY" \\
      --held 2026-10.checkpoints --held 2026-11.checkpoints
  taskflow audit verify --database sqlite:///copy.db \\
      --checkpoints taskflow.checkpoints \\
      --public-key "$NEW_KEY" --public-key "$OLD_KEY"

"""
    + exit_codes(
        done="all that was given agrees; without checkpoints: the log was read",
        findings="something does not agree",
        trouble=f"""{STORE_TROUBLE},
     no such file of checkpoints, no public key, or a kept file has none or has
     other line ends than it had""",
    ),
)


@frozen(kw_only=True)
class Verify(AuditAsk):
    """Compare the log with its checkpoints."""

    checkpoints: Path | None
    held: tuple[Path, ...] = field(converter=tuple)
    public_keys: tuple[str, ...] = field(converter=tuple)
    json: bool

    def do(self, tools: Tools, terminal: Terminal) -> Exit:
        """Compare, and say what does not agree."""
        given = tools.proving.checkpoints(
            config=self.config,
            file=self.checkpoints,
            held=self.held,
            public_keys=self.public_keys,
        )
        with tools.open_evidence(self.config, self.database) as evidence:
            found = _compared(evidence, given, terminal)
            until = recorded_at(evidence, found.covered)
        if self.json:
            terminal.dump(_document(found, until))
        else:
            _tell(found, given, until, terminal)
        return Exit.FINDINGS if found.findings else Exit.DONE


def _compared(evidence: AuditLog, given: KnownCheckpoints, terminal: Terminal) -> Verified:
    size = evidence.size()
    with progress_on(terminal.err, "verifying") as progress:
        log = rebuild_tree(
            evidence.entries(1, size), given.sizes, lambda done: progress(done, size)
        )
    return verified(log, given)


def _document(found: Verified, until: Timestamp | None) -> Document:
    log = found.tree
    return {
        "events": log.size,
        "root": in_base64(log.root),
        "agreed": found.agreed,
        "covered": found.covered,
        "missing": found.missing,
        "shortCopy": found.is_short_copy,
        "coveredUntil": until,
        "findings": [document(finding) for finding in found.findings],
    }


def _tell(
    found: Verified, given: KnownCheckpoints, until: Timestamp | None, terminal: Terminal
) -> None:
    log = found.tree
    if found.findings:
        terminal.show(_table(found.findings))
        terminal.say("")
    terminal.say(f"The log has {counted(log.size, 'event')}.")
    terminal.say(f"Root {in_base64(log.root)}")
    if not given.own and not given.held:
        terminal.say("Nothing was compared: there is no checkpoint.")
        return
    terminal.say(_agreement(found))
    if found.is_short_copy:
        whole = log.size + found.missing
        terminal.say(f"It is a short copy: {log.size:,} of {counted(whole, 'event')}.")
    if until is not None:
        terminal.say(f"The last of them was recorded at {to_the_second(until)}.")
    if after := log.size - found.covered:
        behind = " after that" if found.covered else ""
        terminal.say(f"Nothing is proven of the {counted(after, 'event')}{behind}.")
    terminal.say(f"{counted(len(found.findings), 'finding')}.")


def _agreement(found: Verified) -> str:
    agree = "agrees" if found.agreed == 1 else "agree"
    told = f"{counted(found.agreed, 'checkpoint')} {agree} with it"
    if not found.covered:
        return f"{told}."
    if found.findings:
        return f"{told}, up to position {found.covered:,}."
    return f"{told}: the events up to position {found.covered:,} are as they were signed."


def _table(findings: tuple[Discrepancy, ...]) -> Table:
    shown = table("What does not agree", {"Code": 22, "What was found": REST})
    for finding in findings:
        shown.add_row(finding.code, folded(printable(finding.sentence)))
    return shown


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_ask("verify", PAGE, Verify)
    checkpoints_option(parser)
    parser.add_argument(
        "--held",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="checkpoints that you kept, any of them; may be repeated",
    )
    public_keys_option(parser)
    store_options(parser)
    json_flag(parser)
