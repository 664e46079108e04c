"""`taskflow store backup`: a checked copy of a store, as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from attrs import asdict, frozen

from adapters.cli.atomic_write import atomic_write
from adapters.cli.command import ShardScope, StoreCommand
from adapters.cli.dependencies import CommandError, Dependencies
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.help_text import STORE_TROUBLE, HelpPage
from adapters.cli.options import argument, json_flag
from adapters.cli.output import measured
from adapters.cli.progress import progress_on
from adapters.cli.terminal import Terminal

PAGE: Final = HelpPage(
    name="backup",
    help="copy the store into one file, beside a running gateway",
    description="""\
Copies a store as it is at one moment into a new file, and checks the copy. A
running gateway goes on meanwhile. The copy is one file, readable by its owner
only; it appears when it is whole, and replaces nothing. `cp` does not do that:
the newest changes are in FILE-wal, and a copy without them looks whole.

What callers were refused, the checkpoints and the signing key are files of
their own: copy them too.""",
    examples="""\
  taskflow store backup monday.db --config gateway.json5
  taskflow store backup /mnt/backup/monday.db \\
      --database sqlite:///var/taskflow.db --json""",
    codes=exit_codes(
        done="copied, checked and synced",
        trouble=f"{STORE_TROUBLE},\n     or FILE exists",
    ),
)


@frozen(kw_only=True)
class BackUpStore(StoreCommand):
    """Copy a store into a new file."""

    page = PAGE
    scope = ShardScope.EACH

    file: Path = argument("FILE", "the copy; it must not exist yet", read=Path)
    json: bool = json_flag()

    def run(self, given: Dependencies, terminal: Terminal) -> Exit:
        """Copy it, and say what was copied."""
        if self.file.exists() or self.file.is_symlink():
            raise _taken(self.file)
        with (
            progress_on(terminal.err, "copying") as progress,
            atomic_write(self.file, _give_name) as file,
        ):
            events = given.back_up(
                self.config, self.database, Path(file.name), name=self.file, progress=progress
            )
        with self.file.open("rb") as copy:
            written = measured(self.file, copy, events)
        if self.json:
            terminal.dump(asdict(written))
        else:
            written.show(terminal)
        return Exit.DONE


def _give_name(written: Path, path: Path) -> None:
    try:
        path.hardlink_to(written)
    except FileExistsError:
        raise _taken(path) from None


def _taken(path: Path) -> CommandError:
    return CommandError(f"{path} exists already, and a backup replaces nothing: name a new file")
