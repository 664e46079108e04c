"""What every command of `taskflow audit` is: an ask that can be done."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from attrs import frozen

from adapters.cli.dependencies import Dependencies
from adapters.cli.exits import Exit
from adapters.cli.terminal import Terminal


@frozen(kw_only=True)
class AuditAsk(ABC):
    """What the user asks of an auditor's command; its options are its fields."""

    needs_store: ClassVar[bool] = True
    """Whether a store must be named."""

    config: Path | None = None
    database: str | None = None

    @abstractmethod
    def do(self, tools: Dependencies, terminal: Terminal) -> Exit:
        """Do what is asked for, and say how it ended."""
