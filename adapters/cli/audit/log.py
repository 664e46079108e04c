"""`taskflow audit log`: the events of the whole store, in the order in which they were written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from textwrap import fill
from typing import Final

from attrs import frozen
from rich.table import Table

from adapters.cli.command import ShardScope, StoreCommand
from adapters.cli.dependencies import Dependencies
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.help_text import STORE_TROUBLE, HelpPage
from adapters.cli.options import flag, option, time_option
from adapters.cli.parser import one_of, positive_number
from adapters.cli.tables import REST, folded, lines, list_end, table
from adapters.cli.terminal import Terminal
from adapters.presentation.documents import JsonDocument, cursor_document, event_document
from adapters.presentation.event_text import EVENT_NAMES, event_name, event_summary
from adapters.presentation.printable import to_the_millisecond
from adapters.presentation.provenance_text import by_whom, through_what
from domain.application.recorded_events import ActorKind, RecordedEvent
from domain.flow.evolve import BrokenHistory
from domain.flow.ids import Owner
from domain.flow.state import Flow
from domain.flow.status import FlowStatus
from domain.flow.values import Timestamp
from domain.history.audit_log import AuditLog, UnreadableEvent
from domain.history.flow_heads import FlowHeads
from domain.history.reading import read_entry

PAGE: Final = HelpPage(
    name="log",
    help="list the events of all flows, in the order of the log",
    description=f"""\
Lists the events of the whole store in the order in which they were written,
those that pass every filter that is given. Each stands with its position in
the log, counted from 1, and with the owner, status and revision of its flow
after it: the owner is the one that the flow's creation names, status and
revision are folded from the events up to this one. --status is about that
status, --route about who caused the event; times are the events' own.

EVENT is one of
{fill(", ".join(EVENT_NAMES), 78, initial_indent="  ", subsequent_indent="  ")}""",
    examples="""\
  taskflow audit log --config gateway.json5 --route zapier --since 2026-11-26
  taskflow audit log --database sqlite:///copy.db --status failed \\
      --event flow_failed --limit 1000 --json | jq .requestId

With --json each event is a line of its own. A list that was cut ends with the
position of the next event that passes: in JSON a last line, its nextCursor.
Any number of events can be listed; they are never all in memory.""",
    codes=exit_codes(done="listed, even if there is none", trouble=STORE_TROUBLE),
)
_AT_ONCE: Final = 200
"""How many rows of a table are laid out at once."""


@frozen
class Logged:
    """An event in its place in the log, and where its flow stands after it."""

    position: int
    record: RecordedEvent
    flow: Flow


@frozen(kw_only=True)
class ListEvents(StoreCommand):
    """List the events of all flows that pass some filters."""

    page = PAGE
    scope = ShardScope.EACH

    owner: Owner | None = option("KEY", "only of flows of this session key")
    route: str | None = option("ID", "only what this route caused")
    event: str | None = option(
        "EVENT", "only this kind of event; see above", read=one_of(EVENT_NAMES)
    )
    status: FlowStatus | None = option(
        "STATUS", "only events after which their flow has this status", read=one_of(FlowStatus)
    )
    since: Timestamp | None = time_option("only what happened at TIME or later")
    until: Timestamp | None = time_option("only what happened before TIME")
    cursor: int = option(
        "POSITION",
        "begin at this position, where an earlier list was cut (default: 1)",
        read=positive_number,
        default=1,
    )
    limit: int = option("N", "at most N events (default: 50)", read=positive_number, default=50)
    json: bool = flag("print JSON lines, one for each event, instead of a table")

    def run(self, given: Dependencies, terminal: Terminal) -> Exit:
        """List them as they are read."""
        with given.open_audit_log(self.config, self.database) as audit_log:
            passing = filter(self._passes, _logged(audit_log, self.cursor))
            write = _dump if self.json else _show
            write(passing, self.limit, terminal)
        return Exit.DONE

    def _passes(self, logged: Logged) -> bool:
        record, flow = logged.record, logged.flow
        actor, at = record.metadata.actor, record.event.at
        return (
            self.owner in (None, flow.owner)
            and self.status in (None, flow.status)
            and self.event in (None, event_name(record.event))
            and (self.route is None or (actor.kind, actor.name) == (ActorKind.ROUTE, self.route))
            and (self.since is None or self.since <= at)
            and (self.until is None or at < self.until)
        )


def _logged(audit_log: AuditLog, start: int) -> Iterator[Logged]:
    heads = FlowHeads(audit_log)
    for entry in audit_log.entries(start):
        record = read_entry(audit_log, entry)
        yield Logged(entry.position, record, heads.after(record))


def _dump(passing: Iterator[Logged], limit: int, terminal: Terminal) -> None:
    for logged in islice(passing, limit):
        terminal.dump_line(_document(logged))
    for following in islice(passing, 1):
        terminal.dump_line(cursor_document(following.position))


def _document(logged: Logged) -> JsonDocument:
    flow = logged.flow
    return {
        "position": logged.position,
        "flowId": logged.record.flow_id,
        "owner": flow.owner,
        "status": flow.status,
        **event_document(logged.record, flow),
    }


def _show(passing: Iterator[Logged], limit: int, terminal: Terminal) -> None:
    total = 0
    for rows in _groups(islice(passing, limit)):
        terminal.show(_table(rows, first=total == 0))
        total += len(rows)
    if not total:
        terminal.say("No events.")
        return
    following = next(passing, None)
    terminal.say("")
    terminal.say(list_end(total, "event", None if following is None else following.position))


def _groups(shown: Iterable[Logged]) -> Iterator[Sequence[Logged]]:
    """Return events in groups, those before a damaged one included."""
    rows: list[Logged] = []
    try:
        for logged in shown:
            rows.append(logged)
            if len(rows) == _AT_ONCE:
                yield rows
                rows = []
    except (UnreadableEvent, BrokenHistory):
        yield from filter(None, [rows])
        raise
    yield from filter(None, [rows])


def _table(rows: Iterable[Logged], *, first: bool) -> Table:
    made = table("Log", {"Position, when": 25, "Flow, what, how it stands, by whom": REST})
    if not first:
        made.title, made.show_header = None, False
    for logged in rows:
        record, flow = logged.record, logged.flow
        made.add_row(
            lines(str(logged.position), to_the_millisecond(record.event.at)),
            folded(
                f"{record.flow_id} version {record.version}",
                event_summary(record.event),
                f"{flow.status}, revision {flow.revision}, owner {flow.owner}",
                by_whom(record.metadata),
                *through_what(record),
            ),
        )
    return made
