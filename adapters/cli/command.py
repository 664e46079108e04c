"""What a command is: its page of help, its options as attributes, and what it does.

A new command is a class in a file of its own, and its name in `commands.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from attrs import frozen

from adapters.cli.dependencies import Dependencies, StoreOptions
from adapters.cli.help_text import HelpPage
from adapters.cli.terminal import Terminal


class CliCommand(ABC):
    """A command as a user gave it: its options are its attributes."""

    page: ClassVar[HelpPage]

    @abstractmethod
    def run(self, given: Dependencies, terminal: Terminal) -> int:
        """Do it, and return the exit code."""


@frozen(kw_only=True)
class StoreCommand(StoreOptions, CliCommand):
    """A command on a store."""
