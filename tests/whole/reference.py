"""The reference itself, from npm's public packages: to compare with, never part of the product.

It is installed once, into a folder of the user's cache, and started with a state of its own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import urllib.request
from pathlib import Path
from typing import Final, Self

from attrs import define

from tests.whole.gateway import STOP_SECONDS
from tests.whole.packages import cached, install_npm
from tests.whole.proxies import free_port
from tests.whole.vitals import eventually

VERSION: Final = "2026.6.10"
_NODE: Final = "node@24"
_START_SECONDS: Final = 60.0


def installed() -> Path:
    """Return the folder of the reference, installed if it was not."""
    folder = cached(f"reference-{VERSION}")
    if not (folder / "complete").exists():
        install_npm(folder / "node", _NODE)
        install_npm(folder / "gateway", "--ignore-scripts", f"openclaw@{VERSION}")
        (folder / "complete").touch()
    return folder


@define
class Reference:
    """The reference, running from entry to exit."""

    installation: Path
    folder: Path
    config: Path
    port: int = 0
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process
        return self._process.pid

    def __enter__(self) -> Self:
        self.port = free_port()
        node = self.installation / "node" / "node_modules" / "node" / "bin" / "node"
        gateway = self.installation / "gateway"
        program = gateway / "node_modules" / "openclaw" / "openclaw.mjs"
        with (self.folder / "reference.log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the reference, with our own arguments
                [node, program, "gateway", "run", "--port", str(self.port), "--bind", "loopback"],
                cwd=gateway,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            eventually(self._is_live, "the reference answers", _START_SECONDS)
        except AssertionError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _environment(self) -> dict[str, str]:
        home = self.folder / "home"
        home.mkdir()
        return {
            **{name: value for name, value in os.environ.items() if name in {"PATH", "LANG"}},
            **dict.fromkeys(("HOME", "OPENCLAW_HOME", "OPENCLAW_STATE_DIR"), str(home)),
            **dict.fromkeys(("OPENCLAW_SKIP_CHANNELS", "OPENCLAW_DISABLE_BONJOUR"), "1"),
            **dict.fromkeys(("OPENCLAW_NO_RESPAWN", "NO_COLOR"), "1"),
            "OPENCLAW_CONFIG_PATH": str(self.config),
        }

    def _is_live(self) -> bool:
        assert self._process
        assert self._process.poll() is None, (self.folder / "reference.log").read_text("utf-8")
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:  # noqa: S310 - our own URL
                return bool(answer.status == 200)
        except OSError:
            return False
