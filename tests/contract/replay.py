"""Replay a recording: `python -m tests.contract.replay RECORDING --url http://HOST:PORT`.

The gateway serves `data/gateway.json5` from a fresh store, trusts 127.0.0.1 as a proxy, and has
ORACLE_ENV_SECRET=env-secret-value in its environment, ORACLE_MISSING_SECRET not. Exits with 0
where every line is as recorded or a listed deviation, with 1 where one differs, with 2 on a
usage error.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from tests.contract import recording, routes
from tests.contract.outcomes import Outcome, Report
from tests.contract.player import PATIENCE_SECONDS, SWEEP, Options, Player, Wire
from tests.contract.recording import Line
from tests.contract.routes import Routes
from tests.contract.scenes import repeats
from tests.contract.wire_client import Address
from tests.contract.wire_client import Wire as SocketWire

DATA = Path(__file__).parent / "data"


def replay(
    lines: Sequence[Line],
    wire: Wire,
    configured: Routes,
    *,
    options: Options | None = None,
    told: Callable[[Outcome], None] = lambda _: None,
) -> Report:
    """Play lines in their order against a gateway with a fresh store; `told` hears each outcome."""
    player = Player(wire, configured, options or Options(), repeats(lines))
    outcomes = []
    for line in lines:
        for outcome in player.play(line):
            told(outcome)
            outcomes.append(outcome)
    player.hang_up()
    return Report(outcomes)


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay what the command line names, and print the report."""
    asked = _parser().parse_args(arguments)
    lines = recording.read(asked.recording)
    report = replay(
        lines,
        SocketWire(asked.url, timeout=asked.body_seconds + PATIENCE_SECONDS),
        routes.read(asked.config),
        options=_options(asked, lines),
        told=_say if asked.verbose else lambda _: None,
    )
    _print(str(report))
    return 1 if report.failures else 0


def _options(asked: argparse.Namespace, lines: Sequence[Line]) -> Options:
    put_off = {line.name for line in lines if {line.name, line.scenario} & set(asked.put_off)}
    return Options(
        put_off=frozenset(put_off),
        pauses={SWEEP: asked.sweep_seconds},
        body_seconds=asked.body_seconds,
        one_client=asked.one_client,
    )


def _say(outcome: Outcome) -> None:
    deviation = getattr(outcome, "deviation", None) or ""
    _print(f"{type(outcome).__name__:16} {deviation:4} {outcome.line.name}")


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _address(url: str) -> Address:
    parts = urlsplit(url)
    if parts.hostname is None or parts.port is None:
        raise argparse.ArgumentTypeError(f"{url}: expected http://HOST:PORT")
    return Address(parts.hostname, parts.port)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.contract.replay", description=__doc__)
    parser.add_argument("recording", type=Path, help="a file of recorded exchanges, JSON lines")
    parser.add_argument("--url", type=_address, required=True, help="http://HOST:PORT")
    parser.add_argument("--config", type=Path, default=DATA / "gateway.json5", help="its routes")
    parser.add_argument("--verbose", action="store_true", help="say what became of each line")
    parser.add_argument(
        "--put-off", nargs="*", default=[], metavar="NAME", help="lines or scenarios"
    )
    parser.add_argument("--body-seconds", type=float, default=15.0, help="the body's deadline")
    parser.add_argument(
        "--sweep-seconds", type=float, default=25.0, help="the pause before the sweep"
    )
    parser.add_argument("--one-client", metavar="IP", help="play in-flight from one address")
    return parser


if __name__ == "__main__":
    sys.exit(main())
