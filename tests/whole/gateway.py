"""A real gateway in a process of its own, with a configuration and a store of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Self

from attrs import define, field, frozen

ROOT = Path(__file__).parents[2]
CONTRACT = ROOT / "tests" / "contract" / "data"
READY_SECONDS = 20.0
STOP_SECONDS = 20.0
LOOK_EVERY_SECONDS = 0.01
READY = re.compile(
    r"^.*listening (?:on http://|host=)(?P<host>[^\s:/]+)(?::| port=)(?P<port>\d+)$", re.MULTILINE
)
SECRETS_OF_THE_CONTRACT: Mapping[str, str | None] = {
    "ORACLE_ENV_SECRET": "env-secret-value",
    "ORACLE_MISSING_SECRET": None,
}


class GatewayFailedError(Exception):
    """The gateway did not start, or did not stop, in time."""


@frozen
class Place:
    """Where a gateway listens."""

    url: str
    host: str
    port: int


@define
class RunningGateway:
    """One gateway: started on entry, stopped on exit, and as often in between as a test likes.

    `environment` is added to our own; a name whose value is None is taken out of it. What it
    prints is appended to one file, over all starts, but for what goes to `stdout` and `stderr`
    where these are given. `module` runs the program, as `app` does.
    """

    folder: Path
    config: Path
    environment: Mapping[str, str | None] = field(factory=dict)
    options: Sequence[str] = ()
    module: str = "app"
    command: Sequence[str] = ("serve",)
    stdout: int | None = None
    stderr: int | None = None
    working_folder: Path = ROOT
    log_name: str = "gateway.log"
    pass_fds: Sequence[int] = ()
    store: str | None = None
    """The URL of its store, if that is no file of its folder; "" if its configuration says it."""
    _process: subprocess.Popen[bytes] | None = None
    _place: Place | None = None

    @classmethod
    def of_contract(cls, folder: Path, own: Mapping[str, object] | None = None) -> Self:
        """Make the gateway that the recorded contract was made with; `own` are settings of ours."""
        config = _copied(CONTRACT / "gateway.json5", folder)
        _copied(CONTRACT / "secrets.json", folder)
        if own:
            _add_block(config, "taskflow", own)
        return cls(folder, config, SECRETS_OF_THE_CONTRACT)

    @classmethod
    def of_example(cls, folder: Path) -> Self:
        """Make the gateway of the example configuration."""
        return cls(folder, _copied(ROOT / "examples" / "gateway.json5", folder))

    @property
    def url(self) -> str:
        """Where it listens, as `http://HOST:PORT`."""
        return self.place.url

    @property
    def place(self) -> Place:
        """Where it listens."""
        assert self._place is not None, "the gateway was not started"
        return self._place

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process that was started last."""
        assert self._process is not None, "the gateway was not started"
        return self._process

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    @property
    def database(self) -> Path:
        """The file of its store."""
        return self.folder / "taskflow.db"

    @property
    def store_url(self) -> str:
        """The URL of its store, unless that stands in its configuration."""
        return f"sqlite:///{self.database}" if self.store is None else self.store

    @property
    def logs(self) -> str:
        """Everything that it has printed so far."""
        if not self._log.exists():
            return ""
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def _log(self) -> Path:
        return self.folder / self.log_name

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()

    def start(self) -> None:
        """Start it, and wait until it listens; raises GatewayFailedError if it does not."""
        printed = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            self._process = self._spawn(log)
        self._place = self._wait_until_ready(printed)

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds that the gateway does."""
        deadline = time.monotonic() + READY_SECONDS
        while not holds():
            assert time.monotonic() < deadline, self.logs
            time.sleep(LOOK_EVERY_SECONDS)

    def stop(self) -> int:
        """Ask it to stop (SIGTERM), and give its exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise GatewayFailedError(f"it did not stop on SIGTERM:\n{self.logs}") from error

    def kill(self) -> None:
        """End it at once (SIGKILL), if it still runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _spawn(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", self.module, *self.command]
        config = ["--config", str(self.config)]
        store = ["--database", self.store_url] if self.store_url else []
        place = ["--host", "127.0.0.1", "--port", "0"]
        return subprocess.Popen(  # noqa: S603 - our own program, with our own arguments
            [*command, *config, *store, *place, *self.options],
            cwd=self.working_folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=log if self.stdout is None else self.stdout,
            stderr=log if self.stderr is None else self.stderr,
            pass_fds=self.pass_fds,
        )

    def _environment(self) -> dict[str, str]:
        merged = {**os.environ, "PYTHONUNBUFFERED": "1", **self.environment}
        return {name: value for name, value in merged.items() if value is not None}

    def _wait_until_ready(self, printed: int) -> Place:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            ready = READY.search(self._log.read_bytes()[printed:].decode("utf-8", "replace"))
            if ready:
                host, port = ready["host"], int(ready["port"])
                return Place(f"http://{host}:{port}", host, port)
            time.sleep(LOOK_EVERY_SECONDS)
        self.kill()
        raise GatewayFailedError(f"it did not get ready:\n{self.logs}")


def _add_block(config: Path, name: str, block: Mapping[str, object]) -> None:
    document = config.read_text(encoding="utf-8").rstrip().removesuffix("}")
    config.write_text(f'{document}, "{name}": {json.dumps(block)} }}\n', encoding="utf-8")


def _copied(file: Path, folder: Path) -> Path:
    copy = Path(shutil.copyfile(file, folder / file.name))
    copy.chmod(0o600)  # a umask may let others write to it, and then it is no place for secrets
    return copy
