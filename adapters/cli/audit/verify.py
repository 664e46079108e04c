"""`taskflow audit verify`: does the log still say what its checkpoints say?"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from attrs import frozen
from rich.table import Table

from adapters.cli.audit.checkpoint_text import in_base64
from adapters.cli.command import ShardScope, StoreCommand
from adapters.cli.dependencies import Dependencies
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.help_text import STORE_TROUBLE, HelpPage
from adapters.cli.options import checkpoints_option, json_flag, public_keys_option, repeated
from adapters.cli.progress import progress_on
from adapters.cli.tables import REST, folded, table
from adapters.cli.terminal import Terminal
from adapters.presentation.documents import JsonDocument, document
from adapters.presentation.printable import counted, printable, to_the_second
from domain.flow.values import Timestamp
from domain.history.audit_log import AuditLog
from domain.history.reading import recorded_at
from domain.tlog.checkpoints import KnownCheckpoints
from domain.tlog.rebuild_tree import rebuild_tree
from domain.tlog.verifying import Discrepancy, Verified, verified

PAGE: Final = HelpPage(
    name="verify",
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
    examples="""\
  taskflow audit verify --config gateway.json5
  taskflow audit verify --database sqlite:///copy.db \\
      --checkpoints taskflow.checkpoints --public-key "$KEY"
  taskflow audit verify --config gateway.json5 --public-key "$KEY" \\
      --held 2026-10.checkpoints --held 2026-11.checkpoints
  taskflow audit verify --database sqlite:///copy.db \\
      --checkpoints taskflow.checkpoints \\
      --public-key "$NEW_KEY" --public-key "$OLD_KEY\"""",
    codes=exit_codes(
        done="all that was given agrees; without checkpoints: the log was read",
        findings="something does not agree",
        trouble=f"""{STORE_TROUBLE},
     no such file of checkpoints, no public key, or a kept file has none or has
     other line ends than it had""",
    ),
)


@frozen(kw_only=True)
class VerifyLog(StoreCommand):
    """Compare the log with its checkpoints."""

    page = PAGE
    scope = ShardScope.EACH

    checkpoints: Path | None = checkpoints_option()
    held: tuple[Path, ...] = repeated(
        "FILE", "checkpoints that you kept, any of them; may be repeated", read=Path
    )
    public_keys: tuple[str, ...] = public_keys_option()
    json: bool = json_flag()

    def run(self, given: Dependencies, terminal: Terminal) -> Exit:
        """Compare, and say what does not agree."""
        known = given.proving.checkpoints(
            config=self.config,
            file=self.checkpoints,
            held=self.held,
            public_keys=self.public_keys,
        )
        with given.open_audit_log(self.config, self.database) as audit_log:
            found = compare_log(audit_log, known, terminal)
            until = recorded_at(audit_log, found.covered)
        if self.json:
            terminal.dump(_document(found, until))
        else:
            _report(found, known, until, terminal)
        return Exit.FINDINGS if found.findings else Exit.DONE


def compare_log(audit_log: AuditLog, known: KnownCheckpoints, terminal: Terminal) -> Verified:
    """Compare a log with what is known of it, and show how far that is."""
    size = audit_log.size()
    with progress_on(terminal.err, "verifying") as progress:
        log = rebuild_tree(
            audit_log.entries(1, size), known.sizes, lambda done: progress(done, size)
        )
    return verified(log, known)


def _document(found: Verified, until: Timestamp | None) -> JsonDocument:
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


def _report(
    found: Verified, known: KnownCheckpoints, until: Timestamp | None, terminal: Terminal
) -> None:
    log = found.tree
    if found.findings:
        terminal.show(_table(found.findings))
        terminal.say("")
    terminal.say(f"The log has {counted(log.size, 'event')}.")
    terminal.say(f"Root {in_base64(log.root)}")
    if not known.own and not known.held:
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


def agreement_text(found: Verified) -> str:
    """Return how many checkpoints agree with a log."""
    agree = "agrees" if found.agreed == 1 else "agree"
    return f"{counted(found.agreed, 'checkpoint')} {agree} with it"


def _agreement(found: Verified) -> str:
    agreed = agreement_text(found)
    if not found.covered:
        return f"{agreed}."
    if found.findings:
        return f"{agreed}, up to position {found.covered:,}."
    return f"{agreed}: the events up to position {found.covered:,} are as they were signed."


def _table(findings: tuple[Discrepancy, ...]) -> Table:
    shown = table("What does not agree", {"Code": 22, "What was found": REST})
    for finding in findings:
        shown.add_row(finding.code, folded(printable(finding.sentence)))
    return shown
