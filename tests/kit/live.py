"""A live gateway, as the kit drives it: owners of their own for each run, over real sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

from attrs import define

from adapters.testing.drivers import Door, Driver, HttpDriver
from adapters.testing.steps import OWNERS
from domain.application.ports import Clock, NewId
from domain.flow.ids import RouteId
from tests.whole.gateway import RunningGateway

RUNS: Final = 60
"""How many runs a store serves: then a new one is begun, so that no answer grows with the runs."""
SECRET: Final = "secret-of-the-kit-of-some-length"
PLENTY: Final = {"rateRequests": 1_000_000, "rateWindowSeconds": 0.1, "inFlight": 100}
SELDOM: Final = {"sweepSeconds": 86_400}
"""A child may report news from long ago: a sweep in the midst of a run would give it up unasked."""
RESTARTS_BETWEEN: Final = 100
"""A gateway takes most of a second to start, so that it does for one in so many restarts only."""


@define
class Live:
    """One gateway after the other, each with three routes for each of `RUNS` runs."""

    folder: Path
    restarts: int = 0
    _gateway: RunningGateway | None = None
    _run: int = 0
    _asked: int = 0
    _connection: HTTPConnection | None = None

    @property
    def gateway(self) -> RunningGateway:
        """The gateway that runs now."""
        assert self._gateway is not None, "no gateway was started"
        return self._gateway

    def drive(self, clock: Clock, new_id: NewId) -> Driver:  # noqa: ARG002 - it has its own
        """Drive the gateway, with owners that nobody had before."""
        if self._run % RUNS == 0:
            self._begin()
        run = self._run % RUNS
        self._run += 1
        doors = {
            owner: self._door(RouteId(f"{run}-{who}"), owner) for who, owner in enumerate(OWNERS)
        }
        return HttpDriver(doors, self.restart)

    def restart(self) -> None:
        """Kill the gateway in the midst of its life, and start it again: at times."""
        self._asked += 1
        if self._asked % RESTARTS_BETWEEN == 1:
            self._hang_up()
            self.gateway.kill()
            self.gateway.start()
            self.restarts += 1

    def close(self) -> None:
        """Hang up, and stop the gateway."""
        self._hang_up()
        if self._gateway is not None:
            self.gateway.stop()

    def _begin(self) -> None:
        self.close()
        place = self.folder / f"gateway-{self._run}"
        place.mkdir()
        config = place / "gateway.json"
        config.write_text(json.dumps(_configuration()), encoding="utf-8")
        self._gateway = RunningGateway(place, config)
        self._gateway.start()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _door(self, route_id: RouteId, owner: str) -> Door:
        def post(body: bytes, key: str | None) -> tuple[int, bytes]:
            return self._post(route_id, body, key)

        return Door(route_id, f"{owner}-{route_id}", post)

    def _post(self, route_id: str, body: bytes, key: str | None) -> tuple[int, bytes]:
        if self._connection is None:
            place = self.gateway.place
            self._connection = HTTPConnection(place.host, place.port, timeout=30)
        headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}
        keyed = {} if key is None else {"Idempotency-Key": key}
        path = f"/plugins/webhooks/{route_id}"
        self._connection.request("POST", path, body, {**headers, **keyed})
        with self._connection.getresponse() as response:
            return response.status, response.read()


def _configuration() -> dict[str, object]:
    routes = {
        f"{run}-{who}": {"sessionKey": f"{owner}-{run}-{who}", "secret": SECRET}
        for run in range(RUNS)
        for who, owner in enumerate(OWNERS)
    }
    return {
        "plugins": {"entries": {"webhooks": {"config": {"routes": routes}}}},
        "taskflow": {"limits": PLENTY, "server": {"idleSeconds": 60}, "children": SELDOM},
    }


@contextmanager
def live(folder: Path) -> Iterator[Live]:
    """Have gateways at hand, and stop the last of them in the end."""
    gateways = Live(folder)
    try:
        yield gateways
    finally:
        gateways.close()
