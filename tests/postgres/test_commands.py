"""Every command works on a database of PostgreSQL, beside gateways too, or says what to do."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Final

import pytest

from adapters.audit.keys import Signer
from tests.postgres.commands import command
from tests.whole.gateway import RunningGateway
from tests.whole.test_concurrent import created, post

KEY: Final = Signer.generate("flows.example")
WORK: Final = {
    "flows list": "be done",
    "flows show {flow}": "be done",
    "flows cancel {flow}": "cancelled",
    "flows sweep": "No child",
    "audit history {flow}": "created",
    "audit log": "by operator",
    "audit replay": "all agree",
    "audit verify": "The log has",
    "audit refusals": "revision_conflict",
    "audit configuration": "start",
    "store rebuild": "nothing had to change",
    "store migrate": "nothing had to change",
}
REFUSED: Final = {
    "store backup copy.db": "pg_dump",
    "store restore copy.db": "pg_restore",
    "reload": "send each of them SIGHUP",
}


def working_gateway(folder: Path, url: str) -> RunningGateway:
    folder.mkdir(exist_ok=True)
    gateway = RunningGateway.of_example(folder)
    gateway.store = url
    return gateway


@pytest.fixture
def gateways(tmp_path: Path, postgres_url: str) -> tuple[RunningGateway, RunningGateway]:
    """Two gateways on one database."""
    return tuple(working_gateway(tmp_path / name, postgres_url) for name in "ab")  # type: ignore[return-value]  # two


@pytest.mark.full
def test_commands_work_beside_two_gateways_or_say_what_to_do(
    gateways: tuple[RunningGateway, RunningGateway], postgres_url: str, tmp_path: Path
) -> None:
    first, second = gateways
    with first, second:
        flow = created(first)
        stale = {"action": "finish_flow", "flowId": flow, "expectedRevision": 7}
        assert post(second, stale)[0] == 409
        shown = post(second, {"action": "get_flow", "flowId": flow})[1]["result"]["flow"]
        assert shown["flowId"] == flow
        second.stop()  # and so the refusal is written
        found = {
            words: command(*words.format(flow=flow).split(), "--database", postgres_url)
            for words in (*WORK, *REFUSED)
        }
        first.process.send_signal(signal.SIGHUP)  # as `reload` says
    for words, done in found.items():
        said = done.stdout + done.stderr
        assert done.returncode == (2 if words in REFUSED else 0), said
        assert (WORK | REFUSED)[words].replace("be done", flow) in said, said
    assert list(tmp_path.glob("*/*.db*")) == []


@pytest.mark.full
def test_a_gateway_does_not_start_on_a_database_that_was_not_migrated(
    tmp_path: Path, empty_url: str
) -> None:
    gateway = working_gateway(tmp_path, empty_url)
    words = ["serve", "--config", str(gateway.config), "--database", empty_url]
    done = command(*words)
    assert done.returncode == 2
    assert done.stderr.endswith("the database holds no store: run taskflow store migrate\n")
    assert (
        command("store", "migrate", "--database", empty_url, "--json").stdout
        == json.dumps({"before": 0, "after": 1}, indent=2) + "\n"
    )
    with gateway:
        created(gateway)
