"""What a command is: its page of help, its options as attributes, and what it does.

A new command is a class in a file of its own, and its name in `commands.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Final

from attrs import frozen

from adapters.cli.dependencies import Dependencies
from adapters.cli.help_text import HelpPage
from adapters.cli.options import CONFIG, OptionGroup, option
from adapters.cli.terminal import Terminal

WHICH_STORE: Final = OptionGroup(
    "which store",
    """\
One of these is needed; if both are given, URL it is. URL is
sqlite:///relative.db (seen from here) or sqlite:////absolute.db.""",
)


@frozen(kw_only=True)
class CliCommand(ABC):
    """A command as a user gave it: its options are its attributes."""

    page: ClassVar[HelpPage]

    @abstractmethod
    def run(self, given: Dependencies, terminal: Terminal) -> int:
        """Do it, and return the exit code."""


@frozen(kw_only=True)
class StoreCommand(CliCommand):
    """A command on a store, which its configuration or its URL names."""

    config: Path | None = option("FILE", CONFIG, read=Path, group=WHICH_STORE)
    database: str | None = option("URL", "the store itself", group=WHICH_STORE)
