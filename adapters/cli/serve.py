"""`taskflow serve`: the gateway, until it is asked to stop."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from adapters.cli.command import CliCommand
from adapters.cli.command_options import ServeOptions
from adapters.cli.dependencies import Dependencies
from adapters.cli.exits import exit_codes
from adapters.cli.help_text import HelpPage
from adapters.cli.terminal import Terminal

PAGE: Final = HelpPage(
    name="serve",
    help="serve the gateway until it is asked to stop",
    description="""\
Serves the webhook routes of a configuration. Prints

  listening on http://HOST:PORT

when it is ready. SIGTERM, SIGQUIT or Ctrl-C stops it cleanly: requests in
flight are answered first, unless Ctrl-C comes again. SIGHUP has the settings
read again, see `taskflow reload`; other signals are logged and ignored. With
--wait the next gateway may start meanwhile: it waits until the last one has
given its store back, or until its database answers. A socket that systemd
(LISTEN_FDS) or --socket hands over is served instead of an address; others may
listen on it, too. Routes whose secrets are missing are left out, each with one
warning; try `taskflow check` before.""",
    examples="""\
  taskflow serve --config gateway.json5
  taskflow serve --config gateway.json5 --host 0.0.0.0 --port 8080 --json
  taskflow serve --config gateway.json5 --database sqlite:////srv/flows.db
  taskflow serve --config gateway.json5 --wait 60
  taskflow serve --config gateway.json5 --socket 3""",
    codes=exit_codes(
        done="stopped; everything that was accepted was answered",
        findings="stopped before all requests in flight were answered",
        trouble="wrong arguments or configuration, the port or the store is in use",
    ),
)


@frozen(kw_only=True)
class ServeGateway(ServeOptions, CliCommand):
    """Serve the gateway."""

    page = PAGE

    def run(self, given: Dependencies, terminal: Terminal) -> int:  # noqa: ARG002 - every command's signature
        """Serve it."""
        return given.serve(self)
