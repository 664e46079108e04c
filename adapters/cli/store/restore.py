"""`taskflow store restore`: a store put back from a copy that was checked, and compared with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

from attrs import frozen

from adapters.cli.audit.replay import replay_log
from adapters.cli.audit.verify import agreement_text, compare_log
from adapters.cli.command import StoreCommand
from adapters.cli.dependencies import CommandError, Dependencies, Restoring
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.help_text import WRITE_TROUBLE, HelpPage
from adapters.cli.options import argument, checkpoints_option, flag, json_flag, public_keys_option
from adapters.cli.progress import progress_on
from adapters.cli.terminal import Terminal
from adapters.presentation.printable import counted
from domain.history.audit_log import AuditLog
from domain.history.overlap import Overlap, overlap
from domain.replay.findings import ReplayReport
from domain.tlog.verifying import Verified

PAGE: Final = HelpPage(
    name="restore",
    help="put the store back from a copy",
    description="""\
Checks a copy, compares it with the checkpoints of the configuration and with
the store that is there, and then puts it in its place. FILE is only read. What
was there is kept beside it as STORE.replaced-1 (-2, and so on), never deleted.

Only a store that FILE continues, or none, is replaced unless you say so: one
that has more events wants --discard-newer, one that has others, or cannot be
read, --replace-other. Request keys go back with the store: a request that was
answered after the copy was made is carried out again if its caller repeats it.
Only one process may write to a store: stop the gateway first.""",
    examples="""\
  taskflow store restore monday.db --config gateway.json5
  taskflow store restore monday.db --config gateway.json5 --discard-newer
  taskflow store restore monday.db --database sqlite:///var/taskflow.db \\
      --checkpoints taskflow.checkpoints --public-key "$KEY\"""",
    codes=exit_codes(
        done="restored; nothing is missing that a checkpoint speaks of",
        findings="restored, but events are missing that a checkpoint speaks of",
        trouble=f"""{WRITE_TROUBLE};
     FILE is not whole or not ours, or it would replace more than you said;
     nothing was changed""",
    ),
)


@frozen(kw_only=True)
class RestoreStore(StoreCommand):
    """Put a store back from a copy; what may be lost by that must be given up expressly."""

    page = PAGE

    file: Path = argument("FILE", "the copy; it is only read", read=Path)
    checkpoints: Path | None = checkpoints_option()
    public_keys: tuple[str, ...] = public_keys_option()
    discard_newer: bool = flag("replace a store that has more events than FILE")
    replace_other: bool = flag("replace a store that FILE does not continue, or a damaged one")
    accept_findings: bool = flag("restore FILE although it is not what was written or signed")
    json: bool = json_flag()

    def run(self, given: Dependencies, terminal: Terminal) -> Exit:
        """Put it back, unless something would be lost that nobody gave up."""
        known = given.proving.checkpoints(
            config=self.config, file=self.checkpoints, held=(), public_keys=self.public_keys
        )
        with ExitStack() as stack:
            with progress_on(terminal.err, "copying") as progress:
                opened = given.restore_store(
                    self.config, self.database, self.file, progress=progress
                )
                store = stack.enter_context(opened)
            with store.candidate() as copy:
                self._refuse_findings(replay_log(copy, 0, terminal))
                found = compare_log(copy, known, terminal)
                self._refuse_findings(found)
                relation = _compared(store, copy, terminal)
            self._refuse_loss(store, relation)
            store.replace()
        lost = None if relation is None else relation.lost
        if self.json:
            terminal.dump(_document(store, found, lost))
        else:
            _report(store, found, lost, terminal)
        return Exit.FINDINGS if found.missing else Exit.DONE

    def _refuse_findings(self, found: ReplayReport | Verified) -> None:
        wrong = _codes(found) - {"log_truncated"}
        if wrong and not self.accept_findings:
            raise CommandError(
                f"{self.file}: is not what was written or signed ({', '.join(sorted(wrong))};"
                " taskflow audit replay and verify say where); --accept-findings restores it all"
                " the same"
            )

    def _refuse_loss(self, store: Restoring, relation: Overlap | None) -> None:
        refusal = _refusal(relation, str(self.file))
        if refusal is None:
            return
        option = "--discard-newer" if relation and relation.is_cut else "--replace-other"
        given = self.discard_newer if option == "--discard-newer" else self.replace_other
        if not given:
            raise CommandError(
                f"{store.path}: {refusal}; {option} replaces it all the same, and keeps it under"
                " another name"
            )


def _codes(found: ReplayReport | Verified) -> set[str]:
    if isinstance(found, ReplayReport):
        return {str(code) for code in found.findings.counts}
    return {one.code for one in found.findings}


def _compared(store: Restoring, copy: AuditLog, terminal: Terminal) -> Overlap | None:
    """Return how the copy relates to what is there; None if that cannot be read."""
    with (
        suppress(CommandError),
        progress_on(terminal.err, "comparing"),
        store.present() as present,
    ):
        return overlap(() if present is None else present.entries(), copy.entries())
    return None


def _refusal(relation: Overlap | None, copy: str) -> str | None:
    """Return what speaks against replacing a store, if anything does."""
    if relation is None:
        return f"cannot be read, so nobody knows what it has that {copy} has not"
    if relation.is_continued:
        return None
    lost = f"{counted(relation.lost, 'event')}, {relation.lost_flows:,} of them new flows"
    if relation.is_cut:
        return f"is newer than {copy}: {lost}, would be lost"
    same = counted(relation.common, "event")
    return f"is another store than {copy}: they share {same}, and {lost}, would be lost"


def _document(store: Restoring, found: Verified, lost: int | None) -> dict[str, object]:
    return {
        "events": found.tree.size,
        "kept": None if store.kept is None else str(store.kept),
        "discarded": lost,
        "agreed": found.agreed,
        "covered": found.covered,
        "missing": found.missing,
    }


def _report(store: Restoring, found: Verified, lost: int | None, terminal: Terminal) -> None:
    terminal.say(f"Restored {store.path}: {counted(found.tree.size, 'event')}")
    for line in _lines(store, found, lost):
        terminal.say(line)


def _lines(store: Restoring, found: Verified, lost: int | None) -> Iterator[str]:
    if store.kept is not None:
        only = f"; {counted(lost, 'event')} of it are nowhere else" if lost else ""
        yield f"What was there is kept as {store.kept}{only}"
    if found.agreed:
        yield f"{agreement_text(found)}, up to position {found.covered:,}"
    elif not found.missing:
        yield "It was compared with no checkpoint"
    if found.missing:
        yield f"Missing: the last {counted(found.missing, 'event')} that a checkpoint covers"
