"""`taskflow explain`: what a route would make of a payload, step by step; nothing is written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from attrs import frozen
from rich.console import RenderableType
from rich.text import Text

from adapters.cli.command import CliCommand
from adapters.cli.command_options import ExplainOptions
from adapters.cli.dependencies import Dependencies
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.explanation import Explanation
from adapters.cli.help_text import HelpPage
from adapters.cli.options import json_flag
from adapters.cli.tables import REST, details, folded, table
from adapters.cli.terminal import Terminal
from adapters.presentation.documents import document
from adapters.presentation.printable import pretty_json

PAGE: Final = HelpPage(
    name="explain",
    help="say what a route would make of a payload, step by step",
    description="""\
Takes a payload that a sender sent, or would send, and shows what each step
finds: the body, the type of the event, the rule that is for it, what stands
for each placeholder, the action that results, and the answer. Flows are read
as they are in the store of the configuration, if there is one; nothing is
written, so an id in the answer is made up. The headers of a sender are a file
with a line for each, as in `X-GitHub-Event: ping`; without one, the payload is
taken for JSON. Secrets are looked up only with --authenticate, and only the
route's.""",
    examples="""\
  taskflow explain --route github --payload opened.json \\
      --headers opened.headers --config gateway.json5
  taskflow explain --route zapier --payload body.json \\
      --config gateway.json5 --json | jq .command""",
    codes=exit_codes(
        done="the payload would be accepted or skipped",
        findings="it would be refused: the answer says why",
        trouble="wrong arguments, no such route, or a file cannot be read",
    ),
)


@frozen(kw_only=True)
class ExplainPayload(ExplainOptions, CliCommand):
    """Say what a route would make of a payload."""

    page = PAGE

    json: bool = json_flag()

    def run(self, given: Dependencies, terminal: Terminal) -> Exit:
        """Say it."""
        explained = given.explain(self)
        if self.json:
            terminal.dump(_document(explained))
        else:
            terminal.show(*_parts(explained))
        return Exit.DONE if explained.is_accepted else Exit.FINDINGS


def _document(explained: Explanation) -> dict[str, Any]:
    return {
        "route": explained.route,
        "steps": [document(step) for step in explained.steps],
        "command": explained.command,
        "answer": {"status": explained.status, "body": explained.body},
    }


def _parts(explained: Explanation) -> Iterator[RenderableType]:
    shown = table(f"Route {explained.route}", {"Step": 30, "What it found": REST})
    for step in explained.steps:
        found = Text("" if step.passed else "stops here: ", style="red")
        shown.add_row(folded(step.name), found.append_text(folded(step.found)))
    yield shown
    if explained.command is not None:
        yield details("Action", [("Body", _json(explained.command))])
    yield details("Answer", [("Status", str(explained.status)), ("Body", _json(explained.body))])


def _json(value: dict[str, Any]) -> Text:
    return Text(pretty_json(json.dumps(value)), overflow="fold")
