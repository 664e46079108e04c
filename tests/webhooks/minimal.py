"""The least that each action takes, and the command that it makes with more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.webhooks.actions import CommandAction, make_command, read_call
from adapters.webhooks.fields import Issue
from domain.flow.commands import Command

MINIMAL: Mapping[str, dict[str, Any]] = {
    "create_flow": {"goal": "g"},
    "get_flow": {"flowId": "f"},
    "list_flows": {},
    "find_latest_flow": {},
    "resolve_flow": {"token": "t"},
    "get_task_summary": {"flowId": "f"},
    "set_waiting": {"flowId": "f", "expectedRevision": 0},
    "resume_flow": {"flowId": "f", "expectedRevision": 0},
    "finish_flow": {"flowId": "f", "expectedRevision": 0},
    "fail_flow": {"flowId": "f", "expectedRevision": 0},
    "request_cancel": {"flowId": "f", "expectedRevision": 0},
    "cancel_flow": {"flowId": "f"},
    "run_task": {"flowId": "f", "runtime": "acp", "task": "t"},
    "update_task": {"flowId": "f", "taskId": "t", "status": "running"},
}


def command(action: str, **given: object) -> Command:
    """Return the command of a minimal request that also gives something."""
    call = read_call({"action": action, **MINIMAL[action], **given})
    assert not isinstance(call, Issue)
    assert isinstance(call.action, CommandAction)
    return make_command(call.action, call.values, "webhooks/zapier")
