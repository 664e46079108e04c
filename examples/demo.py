"""Plays the life of a flow against a real gateway and prints what happened.

Run it with `make demo`. It starts a gateway of its own on a free port with a store in a temporary
folder, speaks to it as an automation would, and stops it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
CONFIG = ROOT / "examples" / "gateway.json5"
HEADERS = {
    "Authorization": "Bearer example-only-zapier-secret",
    "Content-Type": "application/json",
}


@contextmanager
def gateway(folder: Path) -> Iterator[tuple[str, int]]:
    """Run a gateway on a free port, and stop it afterwards."""
    database = f"sqlite:///{folder / 'demo.db'}"
    serve = ["serve", "--config", str(CONFIG), "--database", database, "--port", "0"]
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "app", *serve],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield _listening(process)
        finally:
            process.terminate()


def _listening(process: subprocess.Popen[str]) -> tuple[str, int]:
    for line in process.stdout or ():
        if found := re.search(r"listening on http://([^:]+):(\d+)", line):
            return found[1], int(found[2])
    raise SystemExit("the gateway did not start; `make run` shows why")


def main() -> None:
    """Play one flow from its creation to its end."""
    with tempfile.TemporaryDirectory() as folder, gateway(Path(folder)) as (host, port):
        _play(HTTPConnection(host, port))


def _play(connection: HTTPConnection) -> None:
    def send(action: str, **fields: object) -> Any:  # noqa: ANN401 - JSON
        connection.request(
            "POST",
            "/plugins/webhooks/zapier",
            json.dumps({"action": action, **fields}),
            HEADERS,
        )
        response = connection.getresponse()
        answer = json.loads(response.read())
        _tell(action, response.status, answer)
        return answer["result"]

    flow = send("create_flow", goal="Review inbound queue")["flow"]
    flow_id = flow["flowId"]
    task = send("run_task", flowId=flow_id, runtime="acp", task="Inspect the next batch")["task"]
    send("update_task", flowId=flow_id, taskId=task["taskId"], status="running")
    send(
        "set_waiting",
        flowId=flow_id,
        expectedRevision=0,
        currentStep="await_approval",
        waitJson={"kind": "approval"},
    )
    send("resume_flow", flowId=flow_id, expectedRevision=0)
    send("resume_flow", flowId=flow_id, expectedRevision=1, status="running")
    send("cancel_flow", flowId=flow_id)
    send("update_task", flowId=flow_id, taskId=task["taskId"], status="succeeded")
    send("get_task_summary", flowId=flow_id)
    send("finish_flow", flowId=flow_id, expectedRevision=4)


def _tell(action: str, status: int, answer: dict[str, Any]) -> None:
    result = answer["result"]
    flow = result.get("flow") or result.get("current")
    said = answer.get("error", answer.get("code", "ok"))
    state = f"flow {flow['status']}, revision {flow['revision']}" if flow else ""
    if summary := result.get("summary"):
        state = f"{summary['total']} task, {summary['active']} active"
    print(f"{action:<17} {status}  {said:<55} {state}")  # noqa: T201 - its purpose


if __name__ == "__main__":
    main()
