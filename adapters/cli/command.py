"""What a command is: its page of help, its options as attributes, and what it does.

A new command is a class in a file of its own, and its name in `commands.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum, auto
from typing import ClassVar

from attrs import frozen

from adapters.cli.command_options import StoreOptions
from adapters.cli.dependencies import Dependencies
from adapters.cli.help_text import HelpPage
from adapters.cli.terminal import Terminal


class CliCommand(ABC):
    """A command as a user gave it: its options are its attributes."""

    page: ClassVar[HelpPage]

    @abstractmethod
    def run(self, given: Dependencies, terminal: Terminal) -> int:
        """Do it, and return the exit code."""


class ShardScope(Enum):
    """Which stores a command is about, where a configuration has several."""

    ONE = auto()
    """One, which must be named."""
    EACH = auto()
    """Each, one after the other."""
    FLOW = auto()
    """The one that has the flow of the command."""
    FIRST = auto()
    """The first, which keeps what the gateway writes beside the flows."""
    ITSELF = auto()
    """The command finds them itself."""


@frozen(kw_only=True)
class StoreCommand(StoreOptions, CliCommand):
    """A command on a store."""

    scope: ClassVar[ShardScope] = ShardScope.ONE
