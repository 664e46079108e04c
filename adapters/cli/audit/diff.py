"""`taskflow audit diff`: what changed in a flow between two points of its history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from attrs import frozen
from rich.console import RenderableType
from rich.text import Text

from adapters.cli.audit.timeline import FLOW_TROUBLE, POINTS, moment_text, read_history, step_of
from adapters.cli.command import ShardScope, StoreCommand
from adapters.cli.dependencies import Dependencies
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.help_text import HelpPage
from adapters.cli.options import argument, flow_argument, json_flag
from adapters.cli.parser import point
from adapters.cli.tables import REST, folded, table
from adapters.cli.terminal import Terminal
from adapters.presentation.change_text import change_documents, place_document, value_text
from adapters.presentation.printable import printable
from domain.flow.ids import FlowId
from domain.history.as_of import Point
from domain.history.changes import Change, FieldPath, changes
from domain.history.transitions import Transition

PAGE: Final = HelpPage(
    name="diff",
    help="show what changed in a flow between two points of its history",
    description=f"""\
Shows every field of a flow and its tasks that differs between two points of
its history, with what it held at each. The second point may be the earlier.

{POINTS}""",
    examples="""\
  taskflow audit diff 2f1d7b6e-5d6f-4b6f-8a43-0d6d2a9c1f00 r1 r3 \\
      --config gateway.json5
  taskflow audit diff 2f1d7b6e-5d6f-4b6f-8a43-0d6d2a9c1f00 \\
      2026-11-26 2026-11-27 --database sqlite:///copy.db --json

Long values are cut in the table, never in JSON. There `before` or `after` of
a change is missing where the field held nothing; a JSON null is null.""",
    codes=exit_codes(done="shown, even if nothing differs", trouble=FLOW_TROUBLE),
)


@frozen(kw_only=True)
class ShowDiff(StoreCommand):
    """Show what differs between two points."""

    page = PAGE
    scope = ShardScope.FLOW

    flow: FlowId = flow_argument()
    a: Point = argument("A", "one point in its history", read=point)
    b: Point = argument("B", "another one", read=point)
    json: bool = json_flag()

    def run(self, given: Dependencies, terminal: Terminal) -> Exit:
        """Show it."""
        with given.open_audit_log(self.config, self.database) as audit_log:
            history = read_history(audit_log, self.flow)
        a, b = step_of(history, self.a), step_of(history, self.b)
        changed = changes(a.after, b.after)
        if self.json:
            places = {"from": place_document(a), "to": place_document(b)}
            terminal.dump({"flowId": self.flow, **places, "changes": change_documents(changed)})
        else:
            terminal.show(*_tables(changed), Text(_between(a, b)))
        return Exit.DONE


def _tables(changed: Sequence[Change]) -> Iterator[RenderableType]:
    for task_id, group in groupby(changed, key=lambda change: change.field.task_id):
        title = "Flow" if task_id is None else f"Task {printable(task_id)}"
        made = table(title, {"Field": 18, "Before": REST, "After": REST})
        for change in group:
            before, after = (
                value_text(change.field, change.before),
                value_text(change.field, change.after),
            )
            made.add_row(str(FieldPath(change.field.name)), folded(before), folded(after))
        yield made
    if not changed:
        yield Text("Nothing differs.")


def _between(a: Transition, b: Transition) -> str:
    return f"Before: {moment_text(a)}\nAfter:  {moment_text(b)}"
