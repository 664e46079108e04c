"""How far long work is, on a terminal; elsewhere nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich import progress as bars
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from adapters.cli.terminal import console_on
from domain.application.ports import Progress


@contextmanager
def progress_on(stream: TextIO, label: str) -> Iterator[Progress]:
    """Show a bar on a terminal while work goes on; it is removed at the end."""
    hidden = not stream.isatty()
    bar = bars.Progress(*_columns(), console=console_on(stream), transient=True, disable=hidden)
    with bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _columns() -> tuple[ProgressColumn, ...]:
    return (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
