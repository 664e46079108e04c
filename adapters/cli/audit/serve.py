"""`taskflow audit serve`: the auditor's pages, until it is told to stop."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from attrs import frozen

from adapters.cli.command import StoreCommand
from adapters.cli.dependencies import Dependencies, PagesWanted
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.help_text import STORE_TROUBLE, HelpPage
from adapters.cli.options import (
    checkpoints_option,
    host_option,
    log_flag,
    port_option,
    public_keys_option,
)
from adapters.cli.terminal import Terminal

_MOST_PORTS: Final = 65_535

PAGE: Final = HelpPage(
    name="serve",
    help="serve the auditor's pages until it is told to stop",
    description="""\
Serves read-only web pages over a store: find flows, see their timeline, their
state at any version, what changed and who caused it, what was refused, and
the proof of each event. Safe beside a running gateway: the store is opened
read-only. Prints

  listening on http://HOST:PORT

when it is ready. A browser is asked for the user and the password of
taskflow.audit.pages in FILE; without a password nothing is served. Put TLS in
front before the pages leave this machine; where that proxy shows them below a
path, taskflow.audit.pages.basePath says so.""",
    examples="""\
  taskflow audit serve --config gateway.json5
  taskflow audit serve --config gateway.json5 --port 9000 \\
      --database sqlite:////srv/copies/flows.db""",
    codes=exit_codes(
        done="stopped; everything that was accepted was answered",
        findings="stopped before all requests in flight were answered",
        trouble=f"{STORE_TROUBLE},\n     no password, or the port is in use",
    ),
)


@frozen(kw_only=True)
class ServePages(StoreCommand):
    """Serve the pages; what is not None goes before what the configuration says."""

    page = PAGE

    host: str | None = host_option()
    port: int | None = port_option()
    checkpoints: Path | None = checkpoints_option()
    public_keys: tuple[str, ...] = public_keys_option()
    json: bool = log_flag()

    def run(self, given: Dependencies, terminal: Terminal) -> Exit:  # noqa: ARG002 - every ask's signature
        """Serve them."""
        code = given.serve_pages(
            PagesWanted(
                config=self.config,
                database=self.database,
                host=self.host,
                port=self.port,
                checkpoints=self.checkpoints,
                public_keys=self.public_keys,
                json=self.json,
            )
        )
        return Exit(code)
