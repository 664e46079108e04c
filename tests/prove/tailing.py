"""An auditor who follows the log beside 64 writers of two processes: no event missed, no gap.

Each poll asks for what comes behind the last position that was seen. What is missed would be an
event at or below a position that a poll has passed, so the events seen are held against the log at
the end, and each poll's positions against the ones before.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Final

import psycopg

from adapters.store import StoreAuditLog, migrate, open_for_reading
from tests.postgres.server import new_database, running_server
from tests.prove.result import SHOWN, Progress, Result, scaled
from tests.whole.gateway import ROOT

POLLS: Final = 100_000
PROCESSES: Final = 2
WRITERS: Final = 64


def run(scale: float, progress: Progress) -> Result:
    """Prove it."""
    polls, wrong = scaled(POLLS, scale, least=100), list[str]()
    with running_server() as server, new_database(server.url) as url, ExitStack() as stack:
        migrate(url)
        writing = [stack.enter_context(_writers(url)) for _ in range(PROCESSES)]
        seen, filled, done = list[tuple[int, str, int]](), 0, 0
        with closing(open_for_reading(url)) as store:
            log = StoreAuditLog(store)
            while done < polls or not filled:
                new = [(e.position, e.flow_id, e.version) for e in log.entries(len(seen) + 1)]
                if [position for position, _, _ in new] != list(
                    range(len(seen) + 1, len(seen) + 1 + len(new))
                ):
                    wrong.append(f"poll {done}: a gap behind position {len(seen)}")
                    break
                seen += new
                filled += bool(new)
                done += 1
                progress(done, polls)
                for process in writing:
                    if process.poll() is not None:
                        raise RuntimeError("the writers ended")
            for process in writing:
                process.kill()
                process.wait()
        wrong += _missed(url, seen)
    return Result(
        tried=f"an auditor follows the log beside {WRITERS} writers of {PROCESSES} processes",
        counts={"polls": done, "polls that found events": filled, "events": len(seen)},
        violations=tuple(wrong[:SHOWN]),
    )


def _missed(url: str, seen: list[tuple[int, str, int]]) -> Iterator[str]:
    with closing(psycopg.connect(url)) as connection:
        rows = connection.execute(
            "SELECT notification_id, originator_id, originator_version FROM stored_events"
            " WHERE notification_id <= %s ORDER BY notification_id",
            (len(seen),),
        ).fetchall()
    for stored, found in zip(rows, seen, strict=True):
        if stored != found:
            yield f"{stored} was seen as {found}"


def _writers(url: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "tests.prove.tailed_writers", url, str(WRITERS // PROCESSES)]
    return subprocess.Popen(words, cwd=ROOT)  # noqa: S603 - our own program
