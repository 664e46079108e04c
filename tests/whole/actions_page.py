"""The examples of `docs/actions.md`: a series of requests, sent to a real gateway.

`python -m tests.whole.actions_page` writes the section between the page's markers again.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from textwrap import fill
from typing import Any
from urllib.parse import urlsplit

from attrs import frozen

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
    """One request, and the text before it."""

    prose: str
    request: dict[str, Any]


REQUESTS = (
    Step(
        "Opens a flow. `goal` is required; `controllerId`, `status` (`queued`, `running`, `waiting`"
        " or `blocked`), `notifyPolicy` (`done_only`, `state_changes`, `silent`), `currentStep`,"
        " `stateJson` and `waitJson` are optional.",
        {"action": "create_flow", "goal": "Review inbound queue", "stateJson": {"batch": 1}},
    ),
    Step(
        "Shows a flow; `null` if this owner has no such flow.",
        {"action": "get_flow", "flowId": FLOW},
    ),
    Step(
        "Links a child task. `sourceId childSessionKey parentTaskId agentId runId label"
        " preferMetadata notifyPolicy status startedAt lastEventAt progressSummary` are optional;"
        " the last three with `status: running` only. The same `runId`, `runtime` and"
        " `childSessionKey` again find the task and fill in what was missing.",
        {
            "action": "run_task",
            "flowId": FLOW,
            "runtime": "acp",
            "childSessionKey": "agent:main:acp:worker",
            "task": "Inspect the next message batch",
        },
    ),
    Step(
        "Reports that a child task runs, progresses, or has ended (`running succeeded failed"
        " timed_out cancelled`), with `progressSummary`, and at its end `terminalSummary`,"
        " `terminalOutcome` (`succeeded` or `blocked`) and `error`.",
        {
            "action": "update_task",
            "flowId": FLOW,
            "taskId": TASK,
            "status": "running",
            "progressSummary": "12 of 40 messages",
        },
    ),
    Step("Counts a flow's tasks.", {"action": "get_task_summary", "flowId": FLOW}),
    Step(
        "Makes the flow wait, or blocks it if `blockedTaskId` or `blockedSummary` gives a reason.",
        {
            "action": "set_waiting",
            "flowId": FLOW,
            "expectedRevision": 0,
            "currentStep": "await_approval",
            "waitJson": {"kind": "approval"},
        },
    ),
    Step(
        "Continues the flow, `queued` (default) or `running`.",
        {"action": "resume_flow", "flowId": FLOW, "expectedRevision": 1, "status": "running"},
    ),
    Step(
        "A caller that comes too late gets the flow as it is now:",
        {"action": "resume_flow", "flowId": FLOW, "expectedRevision": 1},
    ),
    Step(
        "Sets the cancel intent and nothing else. From then on no task may be added.",
        {"action": "request_cancel", "flowId": FLOW, "expectedRevision": 2},
    ),
    Step(
        "Cancels the flow, or answers 202 `cancel_pending` while child tasks are active; the end of"
        " the last one then cancels it. Of very many tasks the newest are shown, and"
        " `tasksOmitted` counts the others.",
        {"action": "cancel_flow", "flowId": FLOW},
    ),
    Step(
        "Now the end of the last active task ends the flow as well:",
        {"action": "update_task", "flowId": FLOW, "taskId": TASK, "status": "cancelled"},
    ),
    Step(
        "A flow that has ended stays ended:",
        {"action": "finish_flow", "flowId": FLOW, "expectedRevision": 4},
    ),
    Step(
        "A second flow, to be finished:",
        {"action": "create_flow", "goal": "Send the report", "status": "running"},
    ),
    Step(
        "Ends the flow as `succeeded`, with a last `stateJson` if there is one.",
        {
            "action": "finish_flow",
            "flowId": SECOND,
            "expectedRevision": 0,
            "stateJson": {"sent": True},
        },
    ),
    Step("A third flow, which will fail:", {"action": "create_flow", "goal": "Charge the card"}),
    Step(
        "Ends the flow as `failed`; `stateJson`, `blockedTaskId` and `blockedSummary` may say why.",
        {
            "action": "fail_flow",
            "flowId": "<third flow>",
            "expectedRevision": 0,
            "blockedSummary": "The card was declined",
        },
    ),
    Step(
        "A fourth flow, to wait [until a moment](#waits-that-end), or for somebody with a link:",
        {"action": "create_flow", "goal": "Refund order 7"},
    ),
    Step(
        "`set_waiting` takes `until`, an instant, `onTimeout` (`fail` by default, or `resume`), and"
        " `resumeLink`. The flow shows the first two while it waits.",
        {
            "action": "set_waiting",
            "flowId": FOURTH,
            "expectedRevision": 0,
            "until": "2100-01-01T00:00:00Z",
            "onTimeout": "resume",
            "resumeLink": True,
        },
    ),
    Step(
        "A `resume_flow` ends it:",
        {"action": "resume_flow", "flowId": FOURTH, "expectedRevision": 1, "status": "running"},
    ),
    Step(
        "With `early`, a resume that comes before its wait is kept for it. No revision moves, so"
        " that whoever lets the flow wait need not know of it:",
        {"action": "resume_flow", "flowId": FOURTH, "expectedRevision": 2, "early": True},
    ),
    Step(
        "The wait is over as soon as it begins:",
        {"action": "set_waiting", "flowId": FOURTH, "expectedRevision": 2},
    ),
    Step("Shows the flow that was created last.", {"action": "find_latest_flow"}),
    Step(
        "Shows the flow that a token names: a flow's id, or the route's own session key for the"
        " latest.",
        {"action": "resolve_flow", "token": SECOND},
    ),
    Step(
        "Lists the owner's flows, newest first: up to 1,000, or `limit`, or 8 MiB of them (one at"
        " least); only those of one `status` if it is given. If there are more, send `nextCursor`"
        " as `cursor`.",
        {"action": "list_flows", "limit": 1, "status": "succeeded"},
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


def _shown(url: str) -> Iterator[str]:
    ids: dict[str, str] = {}
    flows = iter((FLOW, SECOND, "<third flow>", FOURTH))
    titles: set[str] = set()
    for step in REQUESTS:
        text = written(step.request)
        for name, value in ids.items():
            text = text.replace(name, value)
        exchange = send(url, text)
        result = json.loads(exchange.answer)["result"]
        action = step.request["action"]
        if action == "create_flow":
            ids[next(flows)] = result["flow"]["flowId"]
        if action == "run_task":
            ids[TASK] = result["task"]["taskId"]
        title = "" if action in titles else f"### `{action}`\n\n"
        titles.add(action)
        answer = written(json.loads(exchange.answer))
        yield (
            f"{title}{fill(step.prose, WIDTH)}\n\n```json\n{text}\n```\n\n"
            f"{exchange.status}\n\n```json\n{answer}\n```\n"
        )


def _main() -> None:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition("<!-- actions -->\n")
    after = rest.partition("<!-- /actions -->")[2]
    with (
        tempfile.TemporaryDirectory() as folder,
        RunningGateway.of_example(Path(folder)) as gateway,
    ):
        shown = "\n".join(_shown(gateway.url))
    PAGE.write_text(f"{before}<!-- actions -->\n\n{shown}\n<!-- /actions -->{after}", "utf-8")


if __name__ == "__main__":
    _main()
