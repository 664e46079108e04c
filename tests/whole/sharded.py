"""A gateway whose owners are divided over several stores, each a file, and the commands on them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import define, field

from adapters.audit.keys import Signer
from tests.whole.callers import Answer, Caller, Door
from tests.whole.gateway import ROOT, RunningGateway
from tests.whole.metered import ADMIN

PATIENCE = 20.0
KEY = Signer.generate("flows.example")


def secret(route: str) -> str:
    """Return the secret of a route."""
    return f"correct horse battery staple {route}"


@define
class ShardedGateway:
    """A gateway with one route for each owner, and the stores that its configuration names."""

    folder: Path
    store: Mapping[str, object] = field(factory=dict)
    routes: Sequence[str] = ("ada", "bob")

    def __attrs_post_init__(self) -> None:
        """Write the configuration."""
        self.configure(self.store, self.routes)

    def configure(self, store: Mapping[str, object], routes: Sequence[str]) -> None:
        """Write the configuration, with some stores and some routes."""
        self.store, self.routes = store, routes
        entries = {
            name: {"path": f"/{name}", "sessionKey": f"agent:{name}", "secret": secret(name)}
            for name in routes
        }
        document = {
            "plugins": {"entries": {"webhooks": {"config": {"routes": entries}}}},
            "taskflow": {"store": store, "audit": {"key": "${SIGNING_KEY}"}, **ADMIN},
        }
        self.config.write_text(json.dumps(document), encoding="utf-8")
        self.config.chmod(0o600)

    @property
    def config(self) -> Path:
        """The file of its configuration."""
        return self.folder / "gateway.json5"

    @property
    def environment(self) -> Mapping[str, str]:
        """What its process, and the commands, find in the environment."""
        return {"SIGNING_KEY": KEY.secret_text()}

    def gateway(self) -> RunningGateway:
        """Return a gateway that is not started yet."""
        return RunningGateway(self.folder, self.config, self.environment, store="")

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command on the configuration."""
        return subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "app", *words, "--config", str(self.config)],
            cwd=ROOT,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def printed(self, *words: str) -> Any:  # noqa: ANN401 - JSON
        """Run a command that succeeds; return the document that it prints."""
        done = self.command(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def act(gateway: RunningGateway, route: str, action: str, **given: object) -> Answer:
    """Ask for an action as the owner of a route."""
    with Caller(gateway.place, Door(f"/{route}", secret(route))) as caller:
        return caller.act(action, **given)


def created(gateway: RunningGateway, route: str) -> str:
    """Create a flow; return its id."""
    answer = act(gateway, route, "create_flow", goal=f"a goal of {route}")
    assert answer.status == 200, answer.body
    flow_id: str = answer.result["flow"]["flowId"]
    return flow_id


def readiness(gateway: RunningGateway) -> tuple[int, Sequence[str]]:
    """Return the status of /readyz, and the parts that are not ready."""
    try:
        with urllib.request.urlopen(f"{gateway.url}/readyz") as answer:  # noqa: S310 - our own
            document, status = json.load(answer), answer.status
    except urllib.error.HTTPError as error:
        document, status = json.load(error), error.code
    return status, document["result"].get("notReady", [])


def until_status(gateway: RunningGateway, route: str, status: int) -> Answer:
    """Ask for the owner's flows until the answer has a status, which it must have some day."""
    end = time.monotonic() + PATIENCE
    while (answer := act(gateway, route, "list_flows")).status != status:
        assert time.monotonic() < end, answer.body
        time.sleep(0.05)
    return answer
