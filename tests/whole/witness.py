"""A real witness of logs (C2SP tlog-witness), on loopback: `aics-witness` from PyPI.

It is installed into a folder of its own, by hash, when a test wants it: it is no part of the locked
environment. It declares a later Python than we need, and runs on ours.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import Final, Self

from attrs import define

from tests.whole.vitals import eventually

NAME: Final = "witness.example/w1"
_STOP_SECONDS: Final = 10.0
_WHEELS: Final = """\
aics-witness==0.1.0 --hash=sha256:cd3f5acd2e79a8e29411a5a810b65ad7c5709d468cf1e889533bb0d5e5fe8400
aics-tlog==0.2.1 --hash=sha256:e8cd2be003001576353bbd1a139b68252baf85df8e5d356c5ff26f3c417efdfc
"""
_LISTENS: Final = re.compile(r"listening on http://127\.0\.0\.1:(\d+)")


def install(folder: Path) -> Path:
    """Install the witness into a folder, which is returned."""
    wanted = folder / "wanted.txt"
    wanted.write_text(_WHEELS, encoding="utf-8")
    options = "--quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes"
    command = [sys.executable, "-m", "pip", "install", *options.split()]
    command += ["--ignore-requires-python", "--target", str(folder), "-r", str(wanted)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - pip
    assert ran.returncode == 0, f"the witness could not be installed:\n{ran.stderr}"
    return folder


@define
class Witness:
    """A running witness of one log, from entry to exit."""

    program: Path
    folder: Path
    origin: str
    public_keys: tuple[str, ...]
    _process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._run("init", "--name", NAME, "--listen", "127.0.0.1:0")
        for key in self.public_keys:
            self._run("add-log", "--origin", self.origin, "--vkey", key)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the witness, with our own arguments
                self._command("serve"), env=self._environment, stdout=log, stderr=log
            )
        eventually(lambda: _LISTENS.search(self._log.read_text()) is not None, "it listens")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(_STOP_SECONDS)

    def add_checkpoint(self, old: int, proof: list[str], note: str) -> tuple[int, str]:
        """Ask for a cosignature; return the status, and the line or what is wrong."""
        found = _LISTENS.search(self._log.read_text())
        assert found
        body = "\n".join([f"old {old}", *proof, "", note])
        connection = HTTPConnection("127.0.0.1", int(found[1]), timeout=_STOP_SECONDS)
        connection.request("POST", "/add-checkpoint", body.encode())
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    @property
    def _log(self) -> Path:
        return self.folder / "witness.log"

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(self.program)}

    def _run(self, *argv: str) -> None:
        command = self._command(*argv)
        subprocess.run(command, env=self._environment, check=True, capture_output=True)  # noqa: S603 - the witness

    def _command(self, name: str, *argv: str) -> list[str]:
        config = ("--config", str(self.folder / "witness.json"))
        return [sys.executable, "-m", "aics_witness", name, *config, *argv]
