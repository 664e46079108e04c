"""What verifying a log and proving an event cost: `python -m bench.proofs [EVENTS]`.

One store of a million events, by default. Verifying runs in a process of its own, so
that its processor time and its memory are those of `taskflow audit verify` alone; proofs are made
and checked in this one, each of another event.
"""

from __future__ import annotations

import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final

from attrs import asdict, frozen

from adapters.audit.checkpointing import CheckpointSigner, append_checkpoint
from adapters.audit.keys import Signer
from adapters.audit.proving import Against, judged, prove
from adapters.store import StoreAuditLog, open_for_reading, open_for_writing
from bench.gateway import ROOT
from bench.stores import long_flow, now, owner_of, unsynced
from domain.application.sessions import TaskFlows
from domain.flow.ids import Owner
from domain.history.audit_log import AuditLog, LogEntry

EVENTS: Final = 1_000_000
EACH: Final = 1_000
"""The events of a flow."""

PROOFS: Final = 200
_KIB: Final = 1024


@frozen
class Figures:
    """Seconds, milliseconds at the median and at the 99th percentile, and mebibytes.

    Verifying and proofs are in time of one processor, as others share the machine.
    """

    events: int
    first_checkpoint_s: float
    next_checkpoint_ms: float
    verify_cpu_s: float
    verify_wall_s: float
    verify_peak_mib: float
    prove_cpu_ms: float
    prove_cpu_p99_ms: float
    check_cpu_ms: float
    check_cpu_p99_ms: float


def main() -> None:
    """Build the store, measure, and print the figures as JSON."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "proofs.db"
        _build(path, events)
        print(json.dumps(asdict(_measure(path)), indent=2))


def _build(path: Path, events: int) -> None:
    ids = (f"{number:08}-0000-4000-8000-000000000000" for number in itertools.count())
    with closing(open_for_writing(f"sqlite:///{path}")) as store, unsynced(store):
        session = TaskFlows(store, now, lambda: next(ids)).bind_session(Owner(owner_of("bench")))
        for _ in range(events // EACH):
            long_flow(store, session, EACH)


def _measure(path: Path) -> Figures:
    signer = Signer.generate("bench")
    checkpoint_signer = CheckpointSigner(
        file=path.with_name("checkpoints"), key=signer, origin="bench"
    )
    with closing(open_for_reading(f"sqlite:///{path}")) as store:
        audit_log = StoreAuditLog(store)
        first, second = (
            _seconds(lambda: _checkpoint(audit_log, checkpoint_signer)) for _ in range(2)
        )
        made, checked = zip(*_proofs(audit_log, checkpoint_signer), strict=True)
        size = audit_log.size()
    cpu, wall, peak = _verify(path, checkpoint_signer)
    return Figures(
        events=size,
        first_checkpoint_s=round(first, 2),
        next_checkpoint_ms=round(1000 * second, 2),
        verify_cpu_s=round(cpu, 2),
        verify_wall_s=round(wall, 2),
        verify_peak_mib=round(peak, 1),
        prove_cpu_ms=_median(made),
        prove_cpu_p99_ms=_worst(made),
        check_cpu_ms=_median(checked),
        check_cpu_p99_ms=_worst(checked),
    )


def _checkpoint(audit_log: AuditLog, checkpoint_signer: CheckpointSigner) -> None:
    append_checkpoint(audit_log, checkpoint_signer, progress=_silent)


def _proofs(
    audit_log: AuditLog, checkpoint_signer: CheckpointSigner
) -> Iterator[tuple[float, float]]:
    """Return how long each of some proofs, evenly over the log, took to make and to check."""
    key, size = checkpoint_signer.key.verifier, audit_log.size()
    against = Against(file=checkpoint_signer.file, verifiers=[key])

    def made(entry: LogEntry) -> None:
        prove(audit_log, entry, against, progress=_silent)

    for position in range(1, size + 1, size // PROOFS):
        (entry,) = audit_log.entries(position, position)
        verdict = prove(audit_log, entry, against, progress=_silent)
        if not verdict.holds:
            raise SystemExit(f"the benchmark is wrong: {verdict.reason}")
        proof = verdict.proof
        yield _cpu_seconds(partial(made, entry)), _cpu_seconds(partial(judged, proof, [key]))


def _verify(path: Path, checkpoint_signer: CheckpointSigner) -> tuple[float, float, float]:
    """Return the processor's and the clock's seconds of a verification, and its mebibytes."""
    asked = ["audit", "verify", "--database", f"sqlite:///{path}", "--checkpoints"]
    command = [sys.executable, "-c", _MEASURED, *asked, str(checkpoint_signer.file)]
    command += ["--public-key", str(checkpoint_signer.key.verifier)]
    start = time.perf_counter()
    ran = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603 - all of it is ours
    wall = time.perf_counter() - start
    cpu, peak = ran.stderr.split()
    return float(cpu), wall, int(peak) / _KIB


_MEASURED: Final = """
import re, sys, time
from pathlib import Path
import app
code = app.main()
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
print(time.process_time(), peak, file=sys.stderr)
sys.exit(code)
"""
"""NOTE: what a parent is told of a child's memory is never less than what the parent has itself."""


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _median(seconds: tuple[float, ...]) -> float:
    return round(1000 * statistics.median(seconds), 2)


def _worst(seconds: tuple[float, ...]) -> float:
    return round(1000 * statistics.quantiles(seconds, n=100)[-1], 2)


def _silent(_done: int, _all: int) -> None:
    """Show no progress."""


if __name__ == "__main__":
    main()
