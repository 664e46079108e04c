"""A real n8n, set up as its page says, opens a flow, lets it wait, resumes it and finishes it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import pytest

from tests.whole.n8n import N8n, installed
from tests.whole.packages import NotInstallableError
from tests.whole.sender_pages import DOCS, sender_of

_BODY: Final = re.compile(r"`(=\{\{ JSON\.stringify\(.*\) \}\})`")
_HEADER: Final = "x-openclaw-webhook-secret"
_SECRET: Final = "example-only-n8n-secret"


@pytest.mark.proof
def test_a_workflow_opens_resumes_and_finishes_a_flow(tmp_path: Path) -> None:
    try:
        n8n = N8n(installed(), tmp_path)
    except NotInstallableError as reason:
        pytest.skip(f"n8n cannot be installed here: {reason}")
    page = (DOCS / "senders" / "n8n.md").read_text(encoding="utf-8")
    bodies = _BODY.findall(page)
    with sender_of(page, tmp_path) as sender:
        n8n.import_header(_HEADER, _SECRET)
        n8n.import_workflow("Inbox", f"{sender.gateway.url}/plugins/webhooks/n8n-events", bodies)
        for _ in range(2):
            n8n.execute()
        flows = json.loads(sender.type("taskflow flows list --config gateway.json5 --json\n"))
        found = [(flow["goal"], flow["status"]) for flow in flows["flows"]]
        assert found == [("Inbox: no subject", "succeeded")] * 2
        told = (
            f"taskflow audit history {flows['flows'][0]['flowId']} --config gateway.json5 --json\n"
        )
        events = [event["event"] for event in json.loads(sender.type(told))["events"]]
    assert events == ["flow_created", "flow_began_waiting", "flow_resumed", "flow_succeeded"]
