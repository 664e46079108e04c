"""Tells Schemathesis what no schema can say: which flows there are, and that a key must be new.

Its environment has the flows, a task of the first of them, and the pattern of keys.
"""

from __future__ import annotations

import os
import re
from itertools import count
from typing import Any

import schemathesis

FLOWS = os.environ["TASKFLOW_FLOWS"].split()
TASK = os.environ["TASKFLOW_TASK"]
KEY = re.compile(os.environ["TASKFLOW_KEY_PATTERN"])
NUMBERS = count()


def before_call(_context: object, case: Any, _options: object) -> None:  # noqa: ANN401 - its class is not ours
    """Let a request that could be right be about something that is there."""
    number = next(NUMBERS)
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and KEY.search(key):
        case.headers["Idempotency-Key"] = str(number)
    elif key is not None:
        # NOTE: a key is read by what changes something; elsewhere a wrong one is no fault.
        case.body = {"action": "create_flow", "goal": "under a wrong key"}
    if isinstance(case.body, dict):
        if "cursor" in case.body:
            # NOTE: one that a filtered list gave goes on under its own filters only.
            for name in ("controllerId", "currentStep", "correlationKey", "updatedSince"):
                case.body.pop(name, None)
        for name, known in (("flowId", FLOWS), ("cursor", FLOWS), ("taskId", [TASK])):
            value = case.body.get(name)
            if isinstance(value, str) and (name == "cursor" or value.strip()):
                case.body[name] = known[number % len(known)]


schemathesis.hook(before_call)
