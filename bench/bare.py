"""The ceiling: a bare Falcon answer on the same server. `python -m bench.bare [--in-the-loop]`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from typing import Final
from uuid import uuid4

import falcon

from adapters.server import Head, HttpServer, ServerOptions
from domain.flow.ids import RequestId

IN_THE_LOOP: Final = ("--in-the-loop",)
"""The arguments with which it is made in the I/O thread, as reads are, not by a worker."""

BODY = b'{"ok":true,"routeId":"bench","result":{"flow":null}}'


class _Ticket:
    is_authenticated = True
    body_bounds = None

    def release(self) -> None:
        """Hold nothing."""


class _Answer:
    def on_post(self, _: falcon.Request, resp: falcon.Response) -> None:
        """Answer at once."""
        resp.data = BODY
        resp.content_type = "application/json"


def _admit(_: Head) -> _Ticket:
    return _Ticket()


def main(argv: Sequence[str]) -> None:
    """Serve until SIGTERM."""
    app = falcon.App()
    app.add_route("/plugins/webhooks/bench", _Answer())
    server = HttpServer(
        app,
        ServerOptions(port=0, in_loop=tuple(argv) == IN_THE_LOOP),
        admit=_admit,
        render_error=lambda it: (it.status, (), it.code.encode()),
        new_id=lambda: RequestId(str(uuid4())),
    )
    signal.signal(signal.SIGTERM, lambda _signal, _frame: server.stop())
    print(f"listening on http://{server.host}:{server.port}", flush=True)
    server.run()


if __name__ == "__main__":
    main(sys.argv[1:])
