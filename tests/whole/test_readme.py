"""The README's examples are true."""

from __future__ import annotations

import json
from pathlib import Path

from tests.whole.gateway import RunningGateway
from tests.whole.readme_examples import README, documented, masked, send

ACTIONS = {
    *("create_flow", "get_flow", "list_flows", "find_latest_flow", "resolve_flow"),
    *("get_task_summary", "set_waiting", "resume_flow", "finish_flow", "fail_flow"),
    *("request_cancel", "cancel_flow", "run_task", "update_task"),
}


def test_every_action_has_an_example() -> None:
    shown = documented(README.read_text(encoding="utf-8"))
    assert {json.loads(exchange.request)["action"] for exchange in shown} == ACTIONS


def test_the_examples_are_answered_as_the_readme_says(tmp_path: Path) -> None:
    shown = documented(README.read_text(encoding="utf-8"))
    said, got = "", ""
    ids: dict[str, str] = {}
    with RunningGateway.of_example(tmp_path) as gateway:
        for exchange in shown:
            request = exchange.request
            for old, new in ids.items():
                request = request.replace(old, new)
            answer = send(gateway.url, request)
            ids |= _same_places(exchange.answer, answer.answer)
            said += f"{exchange.status} {json.dumps(json.loads(exchange.answer))}\n"
            got += f"{answer.status} {json.dumps(json.loads(answer.answer))}\n"
    assert masked(got) == masked(said)


def _same_places(said: str, got: str) -> dict[str, str]:
    """Return the ids of what was said, with those that stand in their places in what we got."""
    result, other = json.loads(said)["result"], json.loads(got)["result"]
    return {
        result[kind][name]: other[kind][name]
        for kind, name in (("flow", "flowId"), ("task", "taskId"))
        if result.get(kind) and other.get(kind)
    }
