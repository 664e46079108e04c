"""A real n8n, from npm: installed once, into the user's cache, with a home of its own in a test."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from tests.whole.packages import cached, install_npm

VERSION: Final = "1.100.1"
_SECONDS: Final = 300.0
_OVERRIDES: Final = {"xlsx": "0.18.5"}  # it names one that npm does not have
_CREDENTIAL: Final = {"id": "flows", "name": "flows"}
_OFF: Final = ("N8N_DIAGNOSTICS_ENABLED", "N8N_VERSION_NOTIFICATIONS_ENABLED")


def installed() -> Path:
    """Return the folder of n8n, installed if it was not: 1.3 GB, in two to eight minutes."""
    folder = cached(f"n8n-{VERSION}")
    if not (folder / "complete").exists():
        install_npm(folder, f"n8n@{VERSION}", overrides=_OVERRIDES)
        (folder / "complete").touch()
    return folder


@frozen
class N8n:
    """An n8n whose workflows and credentials are in a folder."""

    installation: Path
    home: Path

    def import_header(self, name: str, value: str) -> None:
        """Make a credential of the type Header Auth."""
        data = {"name": name, "value": value}
        self._import("credentials", {**_CREDENTIAL, "type": "httpHeaderAuth", "data": data})

    def import_workflow(self, name: str, url: str, bodies: Sequence[str]) -> None:
        """Make a workflow that posts some bodies, one after the other, by a node each."""
        start = _node("Start", "manualTrigger", 1, {})
        nodes = [start, *(_request(number, url, body) for number, body in enumerate(bodies, 1))]
        workflow = {
            "id": "flows",
            "name": name,
            "active": False,
            "settings": {"executionOrder": "v1"},
            "nodes": nodes,
            "connections": {
                one["name"]: {"main": [[{"node": other["name"], "type": "main", "index": 0}]]}
                for one, other in pairwise(nodes)
            },
        }
        self._import("workflow", workflow)

    def execute(self) -> str:
        """Execute the workflow, and return what n8n prints."""
        return self._run("execute", "--id=flows")

    def _import(self, kind: str, document: object) -> None:
        file = self.home / f"{kind}.json"
        file.write_text(json.dumps([document]), encoding="utf-8")
        self._run(f"import:{kind}", f"--input={file}")

    def _run(self, *arguments: str) -> str:
        program = self.installation / "node_modules" / ".bin" / "n8n"
        own = {"N8N_USER_FOLDER": str(self.home), "HOME": str(self.home)}
        done = subprocess.run(  # noqa: S603 - with arguments of ours
            [program, *arguments],
            cwd=self.home,
            env={**os.environ, **own, **dict.fromkeys(_OFF, "false")},
            check=False,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def _request(number: int, url: str, body: str) -> dict[str, Any]:
    parameters = {
        "method": "POST",
        "url": url,
        "authentication": "genericCredentialType",
        "genericAuthType": "httpHeaderAuth",
        "sendBody": True,
        "specifyBody": "json",
        "jsonBody": body,
    }
    node = _node(f"Request {number}", "httpRequest", 4.2, parameters)
    settings = {"retryOnFail": True, "executeOnce": True}
    return {**node, **settings, "credentials": {"httpHeaderAuth": _CREDENTIAL}}


def _node(name: str, kind: str, version: float, parameters: Mapping[str, Any]) -> dict[str, Any]:
    kind = f"n8n-nodes-base.{kind}"
    made = {"name": name, "type": kind, "typeVersion": version, "parameters": parameters}
    return {"id": name, "position": [0, 0], **made}
