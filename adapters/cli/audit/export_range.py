"""Which events an export takes: the options that say so, and what they come to in a store."""

from __future__ import annotations

from adapters.cli.arguments import MOST_INTEGER, text_option
from adapters.cli.dependencies import CommandError
from adapters.cli.parser import Parser, moment, whole_number
from adapters.presentation.printable import counted
from domain.history.audit_log import AuditLog
from domain.history.selection import Selection


def range_options(parser: Parser) -> None:
    """Add the options that say which events are meant."""
    group = parser.add_argument_group(
        "which events", "All that are given must hold; without any, the whole log is meant."
    )
    number = whole_number(1, MOST_INTEGER)
    for name, text in (("from", "the first position"), ("to", "the last position")):
        group.add_argument(
            f"--{name}", metavar="N", dest=f"{name}_position", type=number, help=text
        )
    text_option(group, "--flow", "FLOW", "only events of this flow")
    text_option(group, "--owner", "KEY", "only events of flows of this session key")
    for name, text in (("since", "from this time on"), ("until", "before this time")):
        group.add_argument(f"--{name}", metavar="TIME", type=moment, help=f"only events {text}")


def in_store(selection: Selection, evidence: AuditLog) -> Selection:
    """Return a selection, if a store has what it names.

    Raises:
        CommandError: if it has no such position, or no such flow.
    """
    first, last, size = selection.first, selection.last, evidence.size()
    if size == 0:
        raise CommandError("the store has no events")
    if max(first, last) > size:
        log = f"the log has {counted(size, 'event')}"
        raise CommandError(f"there is no position {max(first, last)}: {log}")
    if first > last:
        raise CommandError(f"no position lies between {first} and {last}")
    if selection.flow_id is not None and not evidence.stream(selection.flow_id):
        raise CommandError(f"there is no flow {selection.flow_id}")
    return selection
