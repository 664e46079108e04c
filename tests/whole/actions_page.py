"""The parts of `docs/actions.md` that are made: the actions with fields and examples, all codes.

`python -m tests.whole.actions_page` makes them from the tables of the code and from the exchanges
that are kept; with `--send` it sends the requests to a real gateway first, and keeps the answers.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from http.client import HTTPConnection
from pathlib import Path
from textwrap import fill
from typing import Any
from urllib.parse import urlsplit

from attrs import frozen

from adapters.presentation.answer_codes import ANSWER_CODES
from adapters.webhooks.actions import ACTIONS, Action
from adapters.webhooks.field_text import FIELD_TEXT
from adapters.webhooks.fields import MOST
from adapters.webhooks.json_schema import JsonSchema
from adapters.webhooks.openapi.document import EXCHANGES
from adapters.webhooks.openapi.named_schemas import by_status
from adapters.webhooks.schemas import SchemaField
from tests.whole.gateway import RunningGateway

PAGE = Path(__file__).parents[2] / "docs" / "actions.md"
HEADERS = {
    "Authorization": "Bearer example-only-zapier-secret",
    "Content-Type": "application/json",
}
WIDTH = 96
FLOW, SECOND, FOURTH, TASK = "<flow>", "<second flow>", "<fourth flow>", "<task>"


@frozen
class Step:
    """One request, and a text before it."""

    request: dict[str, Any]
    prose: str = ""


REQUESTS = (
    Step({"action": "create_flow", "goal": "Review inbound queue", "stateJson": {"batch": 1}}),
    Step({"action": "get_flow", "flowId": FLOW}),
    Step(
        {
            "action": "run_task",
            "flowId": FLOW,
            "runtime": "acp",
            "childSessionKey": "agent:main:acp:worker",
            "task": "Inspect the next message batch",
        }
    ),
    Step(
        {
            "action": "update_task",
            "flowId": FLOW,
            "taskId": TASK,
            "status": "running",
            "progressSummary": "12 of 40 messages",
        }
    ),
    Step({"action": "get_task_summary", "flowId": FLOW}),
    Step(
        {
            "action": "set_waiting",
            "flowId": FLOW,
            "expectedRevision": 0,
            "currentStep": "await_approval",
            "waitJson": {"kind": "approval"},
        }
    ),
    Step({"action": "resume_flow", "flowId": FLOW, "expectedRevision": 1, "status": "running"}),
    Step(
        {"action": "resume_flow", "flowId": FLOW, "expectedRevision": 1},
        "A caller that comes too late gets the flow as it is now:",
    ),
    Step({"action": "request_cancel", "flowId": FLOW, "expectedRevision": 2}),
    Step({"action": "cancel_flow", "flowId": FLOW}),
    Step(
        {"action": "update_task", "flowId": FLOW, "taskId": TASK, "status": "cancelled"},
        "Now the end of the last active task ends the flow as well:",
    ),
    Step(
        {"action": "finish_flow", "flowId": FLOW, "expectedRevision": 4},
        "A flow that has ended stays ended:",
    ),
    Step(
        {"action": "create_flow", "goal": "Send the report", "status": "running"},
        "A second flow, to be finished:",
    ),
    Step(
        {
            "action": "finish_flow",
            "flowId": SECOND,
            "expectedRevision": 0,
            "stateJson": {"sent": True},
        }
    ),
    Step({"action": "create_flow", "goal": "Charge the card"}, "A third flow, which will fail:"),
    Step(
        {
            "action": "fail_flow",
            "flowId": "<third flow>",
            "expectedRevision": 0,
            "blockedSummary": "The card was declined",
        }
    ),
    Step(
        {"action": "create_flow", "goal": "Refund order 7"},
        "A fourth flow, to wait until a moment, or for somebody with a link:",
    ),
    Step(
        {
            "action": "set_waiting",
            "flowId": FOURTH,
            "expectedRevision": 0,
            "until": "2100-01-01T00:00:00Z",
            "onTimeout": "resume",
            "resumeLink": True,
        }
    ),
    Step(
        {"action": "resume_flow", "flowId": FOURTH, "expectedRevision": 1, "status": "running"},
        "A `resume_flow` ends the wait:",
    ),
    Step(
        {"action": "resume_flow", "flowId": FOURTH, "expectedRevision": 2, "early": True},
        "With `early`, a resume that comes before its wait is kept for it. No revision moves, so"
        " that whoever lets the flow wait need not know of it:",
    ),
    Step(
        {"action": "set_waiting", "flowId": FOURTH, "expectedRevision": 2},
        "The wait is over as soon as it begins:",
    ),
    Step(
        {
            "action": "create_flow",
            "goal": "Review the pull request",
            "controllerId": "webhooks/ci",
            "correlationKey": "pull request 17",
        },
        "Another flow, to be known by a name of the sender's own:",
    ),
    Step(
        {"action": "create_flow", "goal": "Review it", "correlationKey": "pull request 17"},
        "While it lives nobody else gets its name:",
    ),
    Step(
        {
            "action": "resume_flow",
            "correlationKey": "pull request 17",
            "expectedRevision": 0,
            "status": "running",
        },
        "Who knows only that name goes on with the flow:",
    ),
    Step({"action": "find_latest_flow"}),
    Step({"action": "resolve_flow", "token": SECOND}),
    Step({"action": "list_flows", "limit": 1, "status": "succeeded"}),
    Step(
        {
            "action": "list_flows",
            "controllerId": "webhooks/ci",
            "updatedSince": "2026-01-01T00:00:00Z",
        },
        "Only flows of a controller that changed since a moment:",
    ),
)

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LINK = re.compile(r"/resume/[A-Za-z0-9_-]{43}")
_TIME = re.compile(r"\b1[0-9]{12}\b")


@frozen
class Exchange:
    """A request as text, and the status and text of its answer."""

    request: str
    status: int
    answer: str


def send(url: str, request: str) -> Exchange:
    """Send one request to the example route of a gateway."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    connection.request("POST", "/plugins/webhooks/zapier", request.encode(), HEADERS)
    response = connection.getresponse()
    exchange = Exchange(request, response.status, response.read().decode())
    connection.close()
    return exchange


def masked(text: str) -> str:
    """Return a text with its ids numbered as they appear, its times and links levelled."""
    ids: dict[str, str] = {}
    numbered = _ID.sub(lambda found: ids.setdefault(found[0], f"<id {len(ids)}>"), text)
    return _LINK.sub("/resume/<token>", _TIME.sub("<time>", numbered))


def documented(page: str) -> list[Exchange]:
    """Return the exchanges that a page shows."""
    section = page.split("<!-- actions -->")[1].split("<!-- /actions -->", maxsplit=1)[0]
    blocks = re.findall(r"```json\n(.*?)```\n\n(\d{3})\n\n```json\n(.*?)```", section, re.DOTALL)
    return [Exchange(request, int(status), answer) for request, status, answer in blocks]


def written(value: object, indent: str = "") -> str:
    """Return JSON as people write it: on one line where it fits, else in lines well filled."""
    line = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(line) <= WIDTH or not isinstance(value, dict | list) or not value:
        return line
    deeper = indent + "  "
    if isinstance(value, list):
        return f"[{', '.join(written(item, indent) for item in value)}]"
    members = (f"{json.dumps(key)}: {written(item, deeper)}" for key, item in value.items())
    return "{\n" + "\n".join(_packed(members, deeper)) + f"\n{indent}}}"


def _packed(members: Iterable[str], indent: str) -> Iterator[str]:
    line = indent
    for member in members:
        if line != indent and (len(line) + len(member) > WIDTH or "\n" in line + member):
            yield line.rstrip()
            line = indent
        line += f"{member}, "
    yield line.removesuffix(", ")


def exchanges() -> list[Exchange]:
    """Return the exchanges that are kept."""
    kept = json.loads(EXCHANGES.read_text(encoding="utf-8"))
    return [Exchange(written(request), status, written(answer)) for request, status, answer in kept]


def made(page: str) -> str:
    """Return a page with the parts that are made."""
    parts = {"actions": _actions(), "refusals": "\n".join(_refusals())}
    for name, part in parts.items():
        before, _, rest = page.partition(f"<!-- {name} -->\n")
        after = rest.partition(f"<!-- /{name} -->")[2]
        page = f"{before}<!-- {name} -->\n\n{part}\n\n<!-- /{name} -->{after}"
    return page


def _actions() -> str:
    shown: list[str] = []
    for step, exchange in zip(REQUESTS, exchanges(), strict=True):
        title = f"### `{step.request['action']}`"
        if title not in shown:
            shown += [title, *_described(ACTIONS[step.request["action"]])]
        shown += [fill(step.prose, WIDTH)] if step.prose else []
        shown += [f"```json\n{exchange.request}\n```", str(exchange.status)]
        shown.append(f"```json\n{exchange.answer}\n```")
    return "\n\n".join(shown)


def _described(action: Action) -> Iterator[str]:
    yield fill(action.about, WIDTH)
    if action.schema.fields:
        rows = [_row(each) for each in action.schema.fields]
        yield "\n".join(["| field | takes | what it is |", "| --- | --- | --- |", *rows])
    yield from (fill(rule.text, WIDTH) for rule in action.schema.rules)


def _row(each: SchemaField) -> str:
    name = f"**`{each.wire}`**" if each.required else f"`{each.wire}`"
    return f"| {name} | {_taken(each.decoder.schema)} | {FIELD_TEXT[each.wire]} |"


def _taken(schema: JsonSchema) -> str:  # noqa: PLR0911 - a line a kind of value
    match schema:
        case {"anyOf": [inner, {"type": "null"}]}:
            return f"{_taken(inner)} or `null`"
        case {"anyOf": [{"pattern": _}, {"type": "integer"}]}:
            return "an instant of RFC 3339, or milliseconds since 1970"
        case {"enum": words}:
            return ", ".join(f"`{word}`" for word in words)
        case {"type": "integer", "minimum": low, "maximum": high}:
            return f"integer, {low} to {'2^53 - 1' if high == MOST else f'{high:,}'}"
        case {"type": "string"}:
            return "text"
        case {"type": "boolean"}:
            return "`true` or `false`"
        case _:
            return "JSON"


def _refusals() -> Iterator[str]:
    yield "| status | `code` | when |\n| --- | --- | --- |"
    for status, codes in by_status(ANSWER_CODES.values()).items():
        yield from (f"| {status} | `{each.code}` | {each.when} |" for each in codes)


def _send_all(url: str) -> Iterator[tuple[object, int, object]]:
    ids: dict[str, str] = {}
    flows = iter((FLOW, SECOND, "<third flow>", FOURTH, "<named flow>"))
    for step in REQUESTS:
        text = json.dumps(step.request)
        for name, value in ids.items():
            text = text.replace(name, value)
        exchange = send(url, text)
        answer = json.loads(exchange.answer)
        if step.request["action"] == "create_flow" and answer["ok"]:
            ids[next(flows)] = answer["result"]["flow"]["flowId"]
        if step.request["action"] == "run_task":
            ids[TASK] = answer["result"]["task"]["taskId"]
        yield json.loads(text), exchange.status, answer


def _main(arguments: Sequence[str]) -> None:
    if arguments == ["--send"]:
        with (
            tempfile.TemporaryDirectory() as folder,
            RunningGateway.of_example(Path(folder)) as gateway,
        ):
            sent = list(_send_all(gateway.url))
        EXCHANGES.write_text(f"{json.dumps(sent, indent=1)}\n", encoding="utf-8")
    PAGE.write_text(made(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    _main(sys.argv[1:])
