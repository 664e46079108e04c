"""The load generator of `load.c`, compiled once a run: it must not be what is measured."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from attrs import frozen

from bench.gateway import Running
from bench.load import SECRET, Body, Load

_SOURCE: Final = Path(__file__).with_name("load.c")
_FOREVER: Final = 3_600.0
_ENDLESS: Final = 1_000_000_000


@frozen
class Script:
    """What one connection sends: its bodies in turn, over and over.

    `{revision}` in a body stands for `revision` plus the number of answers so far.
    """

    bodies: Sequence[Body]
    revision: int = 0


@frozen
class Generator:
    """The compiled program."""

    program: Path

    def measure(
        self, process: Running, route: str, scripts: Sequence[Script], seconds: float
    ) -> Load:
        """Put a load on a process for some seconds, a connection for each script."""
        return self._run(process, route, scripts, (seconds, _ENDLESS))

    def send(
        self,
        process: Running,
        route: str,
        scripts: Sequence[Script],
        requests: int,
        *,
        key: str | None = None,
    ) -> None:
        """Send so many requests, however long it takes, all with one idempotency key or none."""
        self._run(process, route, scripts, (_FOREVER, requests), key)

    def _run(
        self,
        process: Running,
        route: str,
        scripts: Sequence[Script],
        until: tuple[float, int],
        key: str | None = None,
    ) -> Load:
        host, port = process.place
        milliseconds, path = round(until[0] * 1000), f"/plugins/webhooks/{route}"
        # NOTE: the program puts the secret at the end of a line of the head.
        secret = SECRET if key is None else f"{SECRET}\r\nIdempotency-Key: {key}"
        command = (self.program, host, port, path, secret, milliseconds, until[1])
        before = process.used()
        ran = subprocess.run(  # noqa: S603 - our own program
            [*map(str, command)], input=b"".join(_lines(scripts)), capture_output=True, check=False
        )
        if ran.returncode:
            raise SystemExit(f"the benchmark is wrong: {route}: {ran.stderr.decode()}")
        used = process.used()
        count, seconds, p50, p99, own = map(float, ran.stdout.split())
        return Load(
            requests=int(count),
            per_second=round(count / seconds, 1),
            p50_ms=p50,
            p99_ms=p99,
            cpu_us=1e6 * (used.processor_seconds - before.processor_seconds) / count,
            written=(used.written - before.written) / count,
            generator_us=1e6 * own / count,
        )


def compiled(folder: Path, per_client: int = 100) -> Generator:
    """Compile the generator into a folder; so many requests come from one client's address."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        raise SystemExit("the load generator needs Linux and a C compiler: install gcc, libc6-dev")
    program = folder / "load"
    options = ["-O2", f"-DPER_CLIENT={per_client}"]
    subprocess.run([compiler, *options, "-o", str(program), str(_SOURCE)], check=True)  # noqa: S603 - the system's compiler, with our own text
    return Generator(program)


def _lines(scripts: Sequence[Script]) -> Iterable[bytes]:
    for number, script in enumerate(scripts):
        for body in script.bodies:
            yield b"%d %d %b\n" % (number, script.revision, body)
