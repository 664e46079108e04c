"""`taskflow audit checkpoint`: sign what the log is now."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from attrs import frozen

from adapters.cli.audit.checkpoint_text import checkpoint_document, in_base64
from adapters.cli.command import ShardScope, StoreCommand
from adapters.cli.dependencies import Dependencies
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.help_text import STORE_TROUBLE, HelpPage
from adapters.cli.options import checkpoints_option, json_flag, option
from adapters.cli.progress import progress_on
from adapters.cli.terminal import Terminal
from adapters.presentation.printable import counted, to_the_second
from domain.history.reading import recorded_at

PAGE: Final = HelpPage(
    name="checkpoint",
    help="append a signed checkpoint of the log as it is",
    description="""\
Appends one signed checkpoint (C2SP tlog-checkpoint) to a file outside the
database: how many events the log has, and the root of the Merkle tree over
them. If nothing has happened since the last one, that one stands. A gateway
with a key does this by itself. Whoever keeps a copy can tell later whether
anything up to it was changed; so keep copies where who writes the store cannot
write. A log that is not the one of the last checkpoint is not signed. A file
that holds anything but checkpoints of this log is not written to; what a power
cut left of the last one is put into a file beside it, whose name ends in
.torn-1.""",
    examples="""\
  taskflow audit checkpoint --config gateway.json5
  taskflow audit checkpoint --database sqlite:///var/taskflow.db \\
      --key signing.key --checkpoints taskflow.checkpoints""",
    codes=exit_codes(
        done="appended, and synced; or it was there already",
        trouble=f"""{STORE_TROUBLE},
     no key, the log is not the one of the last checkpoint, or FILE holds
     something else than its checkpoints""",
    ),
)


@frozen(kw_only=True)
class TakeCheckpoint(StoreCommand):
    """Append a checkpoint."""

    page = PAGE
    scope = ShardScope.EACH

    checkpoints: Path | None = checkpoints_option()
    key: Path | None = option(
        "FILE",
        "the signing key, as keygen wrote it, instead of what the\nconfiguration says; "
        "nobody else may be able to\nchange it, or a folder above it",
        read=Path,
    )
    json: bool = json_flag()

    def run(self, given: Dependencies, terminal: Terminal) -> Exit:
        """Append it, and say what it says."""
        given.spare_own_files(self.config, self.database, self.checkpoints, self.key)
        with (
            given.open_audit_log(self.config, self.database) as audit_log,
            progress_on(terminal.err, "hashing") as progress,
        ):
            appended = given.proving.checkpoint(
                audit_log,
                config=self.config,
                file=self.checkpoints,
                key=self.key,
                progress=progress,
            )
            until = recorded_at(audit_log, appended.checkpoint.size)
        for notice in appended.notices:
            terminal.complain(notice)
        made = appended.checkpoint
        if self.json:
            said = {"coveredUntil": until, "appended": appended.is_new}
            terminal.dump({**checkpoint_document(made), **said})
        else:
            signed = "Signed" if appended.is_new else "Nothing new since the checkpoint of"
            terminal.say(f"{signed} {counted(made.size, 'event')} of {made.origin}")
            terminal.say(f"Root {in_base64(made.root)}")
            if until is not None:
                terminal.say(f"The last of them was recorded at {to_the_second(until)}")
        return Exit.DONE
