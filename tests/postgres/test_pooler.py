"""Gateways behind a real PgBouncer in transaction mode, which is killed as well."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psycopg
import pytest
from attrs import define

from adapters.cli import CommandError
from adapters.composition.stores import named_url
from adapters.store import StoreAuditLog, StoreFault, migrate, open_for_reading, open_for_writing
from adapters.store.postgres.link import without_pooler
from tests.contract.outcomes import PutOff
from tests.contract.player import Options
from tests.contract.test_replay import LINES, WAITING, report_of
from tests.postgres.server import eventually
from tests.prove.concurrent import OWN, stored_wrong
from tests.whole.callers import Caller, Request
from tests.whole.gateway import RunningGateway

PROGRAM: Final = "/usr/sbin/pgbouncer"
KILLS: Final = 3
FLOWS: Final = 60
CALLERS: Final = 6
SETTINGS: Final = """\
[databases]
* = host={server.hostname} port={server.port}
[pgbouncer]
pool_mode = transaction
default_pool_size = 4
max_client_conn = 200
query_wait_timeout = 2
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
"""


@define
class Pooler:
    """A PgBouncer in transaction mode."""

    folder: Path
    port: int
    database: str
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the URL of the database behind it."""
        server = urlsplit(self.database)
        return (
            f"postgresql://{server.username}@127.0.0.1:{self.port}{server.path}?pooler=transaction"
        )

    def start(self) -> None:
        """Start it, and wait until it answers."""
        server, users = urlsplit(self.database), self.folder / "users"
        users.write_text(f'"{server.username}" ""\n')
        ini = self.folder / "pgbouncer.ini"
        ini.write_text(SETTINGS.format(server=server, port=self.port, users=users))
        with (self.folder / "pgbouncer.log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - Debian's program
                [PROGRAM, str(ini)],
                stdout=log,
                stderr=log,
                user=65534 if os.geteuid() == 0 else None,  # it refuses root
            )
        assert eventually(self.answers), (self.folder / "pgbouncer.log").read_text()

    def answers(self) -> bool:
        """Say whether it answers now."""
        with (
            suppress(psycopg.OperationalError),
            closing(psycopg.connect(without_pooler(self.url), connect_timeout=2)),
        ):
            return True
        return False

    def kill(self) -> None:
        """End it, and all connections through it."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()


@pytest.fixture
def pooler(own_url: str) -> Iterator[Pooler]:
    """A pooler before a new store, in a folder that its user may read."""
    with tempfile.TemporaryDirectory(prefix="pooler-") as folder:
        Path(folder).chmod(0o755)
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        pooler = Pooler(Path(folder), port, own_url)
        try:
            pooler.start()
            yield pooler
        finally:
            pooler.kill()


@pytest.mark.full
def test_the_contract_is_answered_through_a_pooler_as_recorded(
    tmp_path: Path, pooler: Pooler
) -> None:
    gateway = RunningGateway.of_contract(tmp_path)
    gateway.store = pooler.url
    report = report_of(LINES, gateway, Options(put_off=WAITING))
    assert report.failures == []
    assert report.names(PutOff)


@pytest.mark.full
def test_what_is_acknowledged_through_a_pooler_that_is_killed_is_stored_once(
    tmp_path: Path, pooler: Pooler, own_url: str
) -> None:
    gateway = RunningGateway.of_contract(tmp_path, OWN)
    gateway.store = pooler.url
    acknowledged: list[str] = []
    with gateway, ThreadPoolExecutor(CALLERS) as pool:
        callers = [pool.submit(_create, gateway, number, acknowledged) for number in range(CALLERS)]
        for kill in range(1, KILLS + 1):
            due = kill * CALLERS * FLOWS // (KILLS + 1)
            assert eventually(lambda due=due: len(acknowledged) >= due)  # type: ignore[misc]  # mypy: lambda
            pooler.kill()
            pooler.start()
        for caller in callers:
            caller.result()
    with closing(open_for_reading(own_url)) as store:
        entries = list(StoreAuditLog(store).entries())
    assert [entry.position for entry in entries] == list(range(1, CALLERS * FLOWS + 1))
    assert {entry.flow_id for entry in entries} == set(acknowledged)
    assert list(stored_wrong(own_url)) == []


def _create(gateway: RunningGateway, number: int, acknowledged: list[str]) -> None:
    """Create flows, each sent again with its key until it is acknowledged."""
    for life in range(FLOWS):
        request = Request({"action": "create_flow", "goal": "g"}, key=f"{number}-{life}")
        with closing(Caller(gateway.place)) as caller:
            assert eventually(lambda c=caller, r=request: _is_made(c, r, acknowledged))  # type: ignore[misc]  # mypy: lambda


def _is_made(caller: Caller, request: Request, acknowledged: list[str]) -> bool:
    answer = caller.ask(request)
    if answer.status == 503:
        return False
    acknowledged.append(answer.result["flow"]["flowId"])
    return True


def test_another_kind_of_pooling_and_a_migration_through_a_pooler_are_refused(
    empty_url: str,
) -> None:
    with pytest.raises(CommandError, match="pooler other than pooler=transaction"):
        named_url(f"{empty_url}?pooler=statement")
    with pytest.raises(StoreFault, match="name the server itself"):
        migrate(f"{empty_url}?pooler=transaction")


@pytest.mark.full
def test_a_pooler_that_the_url_does_not_name_is_refused(pooler: Pooler) -> None:
    """Its next connection may hold what another gateway prepared under the same name."""
    unnamed = without_pooler(pooler.url)
    for refuse in (open_for_writing, open_for_reading):
        with pytest.raises(StoreFault, match=r"add \?pooler=transaction to the URL"):
            refuse(unnamed)
    with pytest.raises(StoreFault, match="name the server itself"):
        migrate(unnamed)
    with closing(open_for_writing(pooler.url)):
        pass
