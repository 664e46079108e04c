"""A standby that was behind takes the place of a server, and what was acknowledged is lost."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from adapters.audit.keys import Signer
from adapters.store import migrate
from tests.postgres.server import Server, eventually, running_server
from tests.whole.callers import Caller
from tests.whole.gateway import RunningGateway
from tests.whole.metered import readiness_of

KEY = Signer.generate("flows.example")
SHORT = "no checkpoint was signed: the log has 2 events, of 3"
OTHER = "is not the one that it was with 3 events"


def _gateway_on(folder: Path, server: Server) -> RunningGateway:
    migrate(server.url)
    audit = {"key": "${SIGNING_KEY}", "everyMinutes": 0.01}
    gateway = RunningGateway.of_contract(folder, {"audit": audit})
    gateway.environment = {**gateway.environment, "SIGNING_KEY": KEY.secret_text()}
    gateway.store = server.url
    return gateway


def _create(gateway: RunningGateway) -> bool:
    with Caller(gateway.place) as caller:
        return caller.act("create_flow", goal="g").status == 200


def _has(server: Server, events: int) -> bool:
    with psycopg.connect(server.url) as connection:
        count = connection.execute("SELECT count(*) FROM stored_events").fetchone()
    return count == (events,)


@pytest.mark.full
def test_a_gateway_signs_nothing_of_a_standby_that_lost_what_was_signed(tmp_path: Path) -> None:
    checkpoints = tmp_path / "taskflow.checkpoints"
    with (
        running_server() as primary,
        running_server(primary=primary) as standby,
        _gateway_on(tmp_path, primary) as gateway,
    ):
        assert _create(gateway)
        assert _create(gateway)
        assert eventually(lambda: _has(standby, 2))
        standby.end()
        assert _create(gateway)  # acknowledged, and never sent to the standby
        gateway.wait_until(lambda: "checkpoint events=3" in gateway.logs)
        signed = checkpoints.read_bytes()
        primary.kill()
        standby.port = primary.port  # as an address that moves with the primary
        standby.start()
        standby.promote()

        gateway.wait_until(lambda: SHORT in gateway.logs)
        assert eventually(lambda: readiness_of(gateway.url)[0] == 200)
        assert readiness_of(gateway.url)[1]["result"]["notReady"] == ["signing"]
        for _ in range(2):
            assert _create(gateway)
        gateway.wait_until(lambda: OTHER in gateway.logs)
        gateway.stop()
        gateway.start()
        gateway.wait_until(lambda: "store is not that of its last checkpoint" in gateway.logs)
        gateway.wait_until(
            lambda: readiness_of(gateway.url)[1]["result"].get("notReady") == ["signing"]
        )
        assert gateway.stop() == 0
        assert checkpoints.read_bytes() == signed
