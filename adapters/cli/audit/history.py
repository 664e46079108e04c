"""`taskflow audit history`: each event of a flow, what it changed, and who caused it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from attrs import frozen
from rich.table import Table
from rich.text import Text

from adapters.cli.arguments import Commands, flow_argument, json_flag, store_options
from adapters.cli.audit.ask import AuditAsk
from adapters.cli.audit.timeline import (
    FLOW_TROUBLE,
    POINTS,
    at_option,
    place,
    read_history,
    step_of,
)
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.flow_tables import flow_tables
from adapters.cli.manual import Page
from adapters.cli.tables import REST, lines, table
from adapters.cli.terminal import Terminal
from adapters.cli.tools import Tools
from adapters.presentation.change_text import (
    change_documents,
    change_line,
    new_line,
    place_document,
)
from adapters.presentation.documents import (
    Document,
    flow_document,
    history_documents,
    task_documents,
)
from adapters.presentation.event_text import word
from adapters.presentation.printable import counted, printable, to_the_millisecond
from adapters.presentation.provenance_text import by_whom, through_what
from domain.flow.ids import FlowId
from domain.history.as_of import Point
from domain.history.changes import Change, changes
from domain.history.transitions import Transition

PAGE: Final = Page(
    help="show each event of a flow, what it changed, and who caused it",
    description=f"""\
Shows all that happened to a flow, in order: each event's stream version, the
revision after it, when it happened, what changed field by field, by whom,
through which request, and what caused it. With --at it shows the flow as it
was at a point instead, computed from its first events alone.

{POINTS}""",
    epilog="""\
examples:
  taskflow audit history 2f1d7b6e-5d6f-4b6f-8a43-0d6d2a9c1f00 \\
      --config gateway.json5
  taskflow audit history 2f1d7b6e-5d6f-4b6f-8a43-0d6d2a9c1f00 \\
      --database sqlite:///copy.db --at 2026-11-26T10:00:00Z

Long values are cut in the table, never in JSON. There `before` or `after` of
a change is missing where the field held nothing; a JSON null is null.

"""
    + exit_codes(done="shown", findings="not used", trouble=FLOW_TROUBLE),
)
_TOLD_BESIDE: Final = (
    "version",
    "revision",
    "flow_id",
    "updated_at",
    "latest_at",
    "last_heartbeat_at",
)
"""Fields whose change is plain from the first column or the title."""


@frozen(kw_only=True)
class History(AuditAsk):
    """Show the events of a flow, or the flow as it was."""

    flow: FlowId
    at: Point | None
    json: bool

    def do(self, tools: Tools, terminal: Terminal) -> Exit:
        """Show them, or it."""
        with tools.open_evidence(self.config, self.database) as evidence:
            history = read_history(evidence, self.flow)
        if self.at is None:
            self._show_events(history, terminal)
        else:
            self._show_flow(step_of(history, self.at), terminal)
        return Exit.DONE

    def _show_events(self, history: Sequence[Transition], terminal: Terminal) -> None:
        if self.json:
            terminal.dump({"flowId": self.flow, "events": _documents(history)})
        else:
            terminal.show(_table(self.flow, history), Text(f"{counted(len(history), 'event')}."))

    def _show_flow(self, step: Transition, terminal: Terminal) -> None:
        if self.json:
            flow, tasks = flow_document(step.after), task_documents(step.after)
            terminal.dump({"asOf": place_document(step), "flow": flow, "tasks": tasks})
        else:
            then = f"As of {place(step)}, {to_the_millisecond(step.record.event.at)}"
            terminal.show(*flow_tables(step.after), Text(then))


def _documents(history: Sequence[Transition]) -> list[Document]:
    told = zip(history_documents(history), history, strict=True)
    return [
        {**document, "changes": change_documents(changes(step.before, step.after))}
        for document, step in told
    ]


def _table(flow_id: FlowId, history: Sequence[Transition]) -> Table:
    title = f"History of flow {printable(flow_id)}"
    made = table(title, {"When, version, revision": 25, "What changed, by whom": REST})
    for step in history:
        made.add_row(lines(to_the_millisecond(step.record.event.at), place(step)), _told(step))
    return made


def _told(step: Transition) -> Text:
    record = step.record
    cell = Text(word(record.event), style="bold", overflow="fold")
    for line in _changed(step):
        cell.append(f"\n{printable(line)}", style="not bold")
    for line in (by_whom(record.metadata), *through_what(record)):
        cell.append(f"\n{printable(line)}", style="not bold dim")
    return cell


def _changed(step: Transition) -> Iterator[str]:
    changed = [c for c in changes(step.before, step.after) if not _told_beside(c, step)]
    for task_id in dict.fromkeys(change.field.task_id for change in changed):
        if task_id is not None:
            yield f"task {task_id}"
    write = new_line if _is_new(step, changed) else change_line
    yield from map(write, changed)


def _told_beside(change: Change, step: Transition) -> bool:
    name = change.field.name
    is_now = name == "last_event_at" and change.after == step.record.event.at
    return is_now or name in _TOLD_BESIDE


def _is_new(step: Transition, changed: Sequence[Change]) -> bool:
    """Say whether a step made what it changed: the flow, or a task."""
    if step.before is None:
        return True
    known = {task.task_id for task in step.before.tasks}
    return any(change.field.task_id not in {None, *known} for change in changed)


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_ask("history", PAGE, History)
    flow_argument(parser)
    at_option(parser, "show the flow as it was at POINT instead")
    store_options(parser)
    json_flag(parser)
