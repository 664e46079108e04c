"""A real gateway whose configuration is written again and again, and what asks it to reload."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from attrs import define

from adapters.composition.asking_to_reload import ask_to_reload
from tests.whole.callers import Answer, Caller, Door
from tests.whole.gateway import ROOT, RunningGateway

OWNER: Final = "agent:main:main"
OLD: Final = "the-old-secret-of-zapier"
NEW: Final = "the-new-secret-of-zapier"


def route(**fields: object) -> dict[str, object]:
    """Return a route with one key, `old`, unless the fields say otherwise."""
    return {"sessionKey": OWNER, "secrets": {"old": OLD}, **fields}


def document(routes: Mapping[str, object], **others: object) -> dict[str, Any]:
    """Return a configuration."""
    return {"plugins": {"entries": {"webhooks": {"config": {"routes": routes}}}}, **others}


@define
class Reloadable:
    """A gateway and its configuration."""

    gateway: RunningGateway

    @classmethod
    def in_folder(cls, folder: Path, configuration: object) -> Reloadable:
        """Write a configuration, for a gateway that is not started yet."""
        made = cls(RunningGateway(folder, folder / "gateway.json5"))
        made.write(configuration)
        return made

    def write(self, configuration: object) -> None:
        """Put another configuration in the place of the one before, as a whole."""
        text = configuration if isinstance(configuration, str) else json.dumps(configuration)
        fresh = self.gateway.config.with_suffix(".new")
        fresh.write_text(text, encoding="utf-8")
        fresh.chmod(0o600)
        fresh.replace(self.gateway.config)

    @property
    def url(self) -> str:
        """The store's URL."""
        return f"sqlite:///{self.gateway.database}"

    def command(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Run `taskflow reload`, on the gateway's store unless the options say otherwise."""
        return subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "app", "reload", *(options or ("--database", self.url))],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    def reloaded(self, configuration: object = None) -> str:
        """Write a configuration, if one is given, and reload; return what is said of that."""
        if configuration is not None:
            self.write(configuration)
        done = ask_to_reload(None, self.url)
        assert done.accepted, done.sentence
        return done.sentence

    def refused(self, configuration: object = None) -> str:
        """Write a configuration, if one is given, that is refused; return why."""
        if configuration is not None:
            self.write(configuration)
        done = ask_to_reload(None, self.url)
        assert not done.accepted
        return done.sentence

    def ask(self, secret: str, name: str = "zapier", **given: object) -> Answer:
        """List the flows of a route, with some secret."""
        door = Door(f"/plugins/webhooks/{name}", secret)
        with Caller(self.gateway.place, door) as caller:
            return caller.act("list_flows", **given)

    def statuses(self, *secrets: str, name: str = "zapier") -> list[int]:
        """Return how requests with some secrets are answered."""
        return [self.ask(secret, name).status for secret in secrets]


def lines(logs: str, event: str) -> list[str]:
    """Return the lines of a log that tell of some event."""
    return [line for line in logs.splitlines() if f" {event} " in f"{line} "]
