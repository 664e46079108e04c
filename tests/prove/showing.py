"""How far a proof is, and what came of all of them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich import progress as bars
from rich.console import Console
from rich.table import Table

from tests.prove.result import Progress, Ran

TELL_EVERY_SECONDS = 30.0
COLUMNS = ("proof", "tried", "how much", "lost", "seconds")


@contextmanager
def progress_line(name: str) -> Iterator[Progress]:
    """Show a bar on a terminal, elsewhere a line now and then; both on standard error."""
    if not sys.stderr.isatty():
        print(f"{name} ...", file=sys.stderr, flush=True)  # noqa: T201 - a command's output
        yield _lines(name)
        return
    columns = (bars.TextColumn("{task.description}"), bars.BarColumn())
    counting = (bars.MofNCompleteColumn(), bars.TimeElapsedColumn(), bars.TimeRemainingColumn())
    with bars.Progress(*columns, *counting, console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of or None)


def _lines(name: str) -> Progress:
    last = time.monotonic()

    def tell(done: int, of: int) -> None:
        nonlocal last
        if time.monotonic() - last >= TELL_EVERY_SECONDS:
            last = time.monotonic()
            print(f"{name} {done:,} of {of:,}", file=sys.stderr, flush=True)  # noqa: T201 - the same

    return tell


def table(ran: Iterable[Ran]) -> None:
    """Print what was proved as a table (as Markdown where no terminal is), then what was lost."""
    ran = list(ran)
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(_table(ran))
    else:
        _markdown(console, ran)
    for each in ran:
        for note in each.result.notes:
            console.print(f"{each.name}: {note}", markup=False, soft_wrap=True)
    for each in ran:
        for violation in each.result.violations:
            console.print(f"{each.name} LOST {violation}", markup=False, soft_wrap=True)


def _table(ran: Iterable[Ran]) -> Table:
    shown = Table(*COLUMNS, show_lines=True)
    shown.columns[3].justify = shown.columns[4].justify = "right"
    for each in ran:
        shown.add_row(*_cells(each, "\n"))
    return shown


def _markdown(console: Console, ran: Iterable[Ran]) -> None:
    rows = [COLUMNS, tuple("---" for _ in COLUMNS), *(_cells(each, ", ") for each in ran)]
    for row in rows:
        console.print(f"| {' | '.join(row)} |", markup=False, soft_wrap=True)


def _cells(ran: Ran, between: str) -> tuple[str, ...]:
    result, lost = ran.result, len(ran.result.violations)
    counts = between.join(f"{count:,} {what}" for what, count in result.counts.items())
    return (ran.name, result.tried, counts, str(lost) if lost else "nothing", f"{ran.seconds:,.0f}")
