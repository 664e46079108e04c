"""The examples of `docs/actions.md` are true, and the README links to each action."""

from __future__ import annotations

import json
import re
from pathlib import Path

from adapters.webhooks.actions import ACTIONS
from tests.whole.actions_page import PAGE, documented, made, masked, send
from tests.whole.gateway import ROOT, RunningGateway


def test_every_action_has_an_example() -> None:
    shown = documented(PAGE.read_text(encoding="utf-8"))
    assert {json.loads(exchange.request)["action"] for exchange in shown} == ACTIONS.keys()


def test_the_page_is_as_the_tables_say() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert made(page) == page, "run `make docs` and commit what it writes"


def test_the_readme_links_to_each_action() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[`(\w+)`\]\(docs/actions\.md#(\w+)\) \|", readme, re.MULTILINE)
    assert set(rows) == {(action, action) for action in ACTIONS}


def test_the_examples_are_answered_as_the_page_says(tmp_path: Path) -> None:
    shown = documented(PAGE.read_text(encoding="utf-8"))
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
