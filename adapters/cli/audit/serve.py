"""`taskflow audit serve`: the auditor's pages, until it is asked to stop."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from adapters.cli.command import ShardScope, StoreCommand
from adapters.cli.command_options import PagesOptions
from adapters.cli.dependencies import Dependencies
from adapters.cli.exits import exit_codes
from adapters.cli.help_text import STORE_TROUBLE, HelpPage
from adapters.cli.terminal import Terminal

_MOST_PORTS: Final = 65_535

PAGE: Final = HelpPage(
    name="serve",
    help="serve the auditor's pages until it is asked to stop",
    description="""\
Serves read-only web pages over a store: find flows, see their timeline, their
state at any version, what changed and who caused it, what was refused, and
the proof of each event. Safe beside a running gateway: the store is opened
read-only. Prints

  listening on http://HOST:PORT

when it is ready. A browser is asked for the user and the password of
taskflow.audit.pages in FILE; without a password nothing is served. Where FILE
has several stores each page says of which it is, and leads to the others; a
flow is found in whichever it is. Put TLS in
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
class ServePages(PagesOptions, StoreCommand):
    """Serve the auditor's pages."""

    page = PAGE
    scope = ShardScope.ITSELF

    def run(self, given: Dependencies, terminal: Terminal) -> int:  # noqa: ARG002 - every command's signature
        """Serve them."""
        return given.serve_pages(self)
