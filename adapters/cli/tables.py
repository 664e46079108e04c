"""The one style of all tables: no frames, cells of a few short lines, ids always whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from rich import box
from rich.table import Table
from rich.text import Text

from adapters.presentation.printable import counted, printable
from domain.flow.status import FlowStatus, TaskStatus

REST: Final = 0
"""As a column's width: what the others leave."""

_STYLES: Final[Mapping[str, str]] = {
    "running": "cyan",
    "blocked": "yellow",
    "succeeded": "green",
    "failed": "red",
    "timed_out": "red",
    "lost": "red",
}


def table(title: str, columns: Mapping[str, int]) -> Table:
    """Return an empty table; `columns` are headers with their widths in characters, or `REST`.

    Widths do not depend on what the cells hold, so that two outputs can be compared.
    """
    made = Table(
        title=Text(title, style="bold", no_wrap=True, overflow="ignore"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        expand=True,
    )
    for header, width in columns.items():
        made.add_column(
            Text(header, style="bold"),
            width=width or None,
            ratio=None if width else 1,
            overflow="fold",
        )
    return made


def details(title: str, rows: Iterable[tuple[str, str | Text]]) -> Table:
    """Return a table of names and values, one under the other."""
    made = Table(
        title=Text(title, style="bold", no_wrap=True, overflow="ignore"),
        title_justify="left",
        box=None,
        show_header=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in rows:
        made.add_row(Text(name), value if isinstance(value, Text) else folded(value))
    return made


def lines(first: str, *others: str) -> Text:
    """Return a cell of lines; each ends in an ellipsis if it is cut."""
    return _cell(first, others, style="")


def status_cell(status: FlowStatus | TaskStatus, *others: str) -> Text:
    """Return a cell of lines of which the first is a status, in its colour."""
    return _cell(status, others, style=_STYLES.get(status, ""))


def folded(first: str, *others: str) -> Text:
    """Return a cell of lines that go on below where they are too long."""
    cell = lines(first, *others)
    cell.no_wrap, cell.overflow = False, "fold"
    return cell


def list_end(count: int, noun: str, next_cursor: int | str | None) -> str:
    """Return the last line of a list, which may have been cut."""
    rest = "." if next_cursor is None else f", and there are more: --cursor {next_cursor}"
    return f"{counted(count, noun)}{rest}"


def _cell(first: str, others: Iterable[str], style: str) -> Text:
    cell = Text(no_wrap=True, overflow="ellipsis")
    cell.append(printable(first), style=style)
    for other in others:
        cell.append(f"\n{printable(other)}", style="dim")
    return cell
