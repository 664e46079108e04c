"""`taskflow serve`: the gateway, until it is asked to stop."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from attrs import frozen

from adapters.cli.command import CliCommand
from adapters.cli.dependencies import Dependencies
from adapters.cli.exits import exit_codes
from adapters.cli.help_text import HelpPage
from adapters.cli.options import CONFIG, host_option, log_flag, option, port_option
from adapters.cli.parser import number_within
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
given its store back. Routes whose secrets are missing are left out, each with
one warning; try `taskflow check` before.""",
    examples="""\
  taskflow serve --config gateway.json5
  taskflow serve --config gateway.json5 --host 0.0.0.0 --port 8080 --json
  taskflow serve --config gateway.json5 --database sqlite:////srv/flows.db
  taskflow serve --config gateway.json5 --wait 60""",
    codes=exit_codes(
        done="stopped; everything that was accepted was answered",
        findings="stopped before all requests in flight were answered",
        trouble="wrong arguments or configuration, the port or the store is in use",
    ),
)
_MOST_WAIT: Final = 3_600


@frozen(kw_only=True)
class ServeGateway(CliCommand):
    """Serve the gateway; what is not None goes before what the configuration says."""

    page = PAGE

    config: Path = option("FILE", CONFIG, read=Path, required=True)
    database: str | None = option("URL", "where the events are kept, instead of what FILE says")
    host: str | None = host_option()
    port: int | None = port_option()
    wait: int = option(
        "SECONDS",
        "how long to wait for a store that another gateway still writes to (default: 0)",
        read=number_within(0, _MOST_WAIT),
        default=0,
    )
    json: bool = log_flag()

    def run(self, given: Dependencies, terminal: Terminal) -> int:  # noqa: ARG002 - every command's signature
        """Serve it."""
        return given.serve(
            self.config,
            database=self.database,
            host=self.host,
            port=self.port,
            wait=self.wait,
            json=self.json,
        )
