"""`taskflow audit why`: the event that gave a field its value, and the request behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from attrs import frozen
from rich.text import Text

from adapters.cli.audit.timeline import FLOW_TROUBLE, POINTS, moment_text, read_history, step_of
from adapters.cli.command import ShardScope, StoreCommand
from adapters.cli.dependencies import CommandError, Dependencies
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.help_text import HelpPage
from adapters.cli.options import argument, flow_argument, json_flag, point_option
from adapters.cli.tables import details, folded
from adapters.cli.terminal import Terminal
from adapters.presentation.change_text import place_document, value_text, values_document
from adapters.presentation.documents import JsonDocument, event_document
from adapters.presentation.event_text import event_name
from adapters.presentation.printable import counted, pretty_json
from adapters.presentation.provenance_text import cause
from domain.flow.ids import FlowId
from domain.flow.state import Flow
from domain.flow.values import Json
from domain.history.as_of import Point
from domain.history.changes import TASK_FIELDS, FieldPath, field_names, value_of
from domain.history.provenance import Provenance, why
from domain.history.transitions import Transition

PAGE: Final = HelpPage(
    name="why",
    help="name the event, and the request, that gave a field its value",
    description=f"""\
Names the one event that gave a field of a flow the value that it has, or had
at a point: the event at which the field last took this value. Without it the
field would hold something else, unless a later event said the same again:
then that one is named too. FIELD is named as in JSON: status, stateJson, or
tasks[TASK].status for a child task, TASK being its id.

{POINTS}""",
    examples="""\
  taskflow audit why 2f1d7b6e-5d6f-4b6f-8a43-0d6d2a9c1f00 status \\
      --config gateway.json5
  taskflow audit why 2f1d7b6e-5d6f-4b6f-8a43-0d6d2a9c1f00 \\
      'tasks[5e0c1a52-7f5f-4a0e-9d43-6f1f5f5d3b11].error' --at r3 \\
      --database sqlite:///copy.db --json

In JSON `before` or `value` is missing where the field holds nothing; a JSON
null is null.""",
    codes=exit_codes(done="named", trouble=f"no such field,\n     {FLOW_TROUBLE}"),
)
_MOST_AGAIN: Final = 5
"""How many events that said the same again are shown to people."""
_WHOLE: Final = 1 << 30
"""More characters than any value has."""


@frozen(kw_only=True)
class WhyField(StoreCommand):
    """Name the event that gave a field its value."""

    page = PAGE
    scope = ShardScope.FLOW

    flow: FlowId = flow_argument()
    field: str = argument("FIELD", "the name of a field")
    at: Point | None = point_option("as the flow was at POINT, not as it is now")
    json: bool = json_flag()

    def run(self, given: Dependencies, terminal: Terminal) -> Exit:
        """Name it."""
        with given.open_audit_log(self.config, self.database) as audit_log:
            history = read_history(audit_log, self.flow)
        last = history[-1] if self.at is None else step_of(history, self.at)
        found = why(history[: last.record.version], _field(last.after, self.field))
        if found is None:  # the field was just found in this very flow
            raise CommandError(f"flow {self.flow} has no field {self.field}")
        if self.json:
            terminal.dump(_document(found, last))
        else:
            terminal.show(details(f"Why {found.field} is what it is", _rows(found, last)))
        return Exit.DONE


def _field(flow: Flow, text: str) -> FieldPath:
    fields = {str(field): field for field in field_names(flow)}
    if text in fields:
        return fields[text]
    own = ", ".join(name for name, field in fields.items() if field.task_id is None)
    of_tasks = ", ".join(str(FieldPath(name)) for name in TASK_FIELDS)
    tasks = f"; of each of its tasks, as tasks[TASK].status: {of_tasks}" if flow.tasks else ""
    raise CommandError(f"flow {flow.flow_id} has no field {text}; it has {own}{tasks}")


def _rows(found: Provenance, last: Transition) -> Iterator[tuple[str, str | Text]]:
    record, metadata = found.step.record, found.step.record.metadata
    yield "Value", _value(found)
    yield "Before", value_text(found.field, value_of(found.step.before, found.field))
    yield "Seen at", moment_text(last)
    yield "Given by", event_name(record.event)
    yield "Given at", moment_text(found.step)
    yield "Actor", f"{metadata.actor.kind} {metadata.actor.name}"
    if metadata.actor.key_id is not None:
        yield "Key", metadata.actor.key_id
    yield "Request", metadata.request_id
    if metadata.idempotency_key is not None:
        yield "Idempotency key", metadata.idempotency_key
    if metadata.remote_address is not None:
        yield "Address", metadata.remote_address
    yield "Caused by", cause(record)
    if found.again:
        yield "Said again", folded(*_again(found.again))


def _again(steps: Sequence[Transition]) -> Iterator[str]:
    yield from (moment_text(step) for step in steps[:_MOST_AGAIN])
    if len(steps) > _MOST_AGAIN:
        yield f"and {counted(len(steps) - _MOST_AGAIN, 'time')} more, shown by --json"


def _value(found: Provenance) -> str | Text:
    if isinstance(found.value, Json):
        return Text(pretty_json(found.value.text), overflow="fold")
    return value_text(found.field, found.value, most=_WHOLE)


def _document(found: Provenance, last: Transition) -> JsonDocument:
    before = value_of(found.step.before, found.field)
    return {
        "flowId": last.after.flow_id,
        "field": str(found.field),
        **values_document(before=before, value=found.value),
        "seenAt": place_document(last),
        "givenBy": _event(found.step),
        "saidAgainBy": [_event(step) for step in found.again],
    }


def _event(step: Transition) -> JsonDocument:
    return event_document(step.record, step.after)
