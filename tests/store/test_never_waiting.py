"""The thread that answers all callers waits for no lock of SQLite's; others do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Final

import pytest

from adapters.store import EventSourcedStore
from domain.application.ports import StoreBusy
from tests.store.service import OWNER, create, session

_RECOVERS: Final = """
import fcntl, sys
with open(sys.argv[1], "r+b") as shared:
    fcntl.lockf(shared, fcntl.LOCK_EX, 3, 120)
    first = shared.read(8)
    shared.seek(0)
    shared.write(bytes(8))
    shared.flush()
    print("locked", flush=True)
    sys.stdin.read()
    shared.seek(0)
    shared.write(first)
"""
"""Takes the locks to write, to move and to recover the log, and damages the head of its index."""


@contextmanager
def _recovered(path: Path) -> Iterator[None]:
    """Let another process recover the log, for which every reader waits."""
    command = [sys.executable, "-c", _RECOVERS, f"{path}-shm"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603 - our own text
        assert process.stdout is not None
        assert process.stdout.readline() == b"locked\n"
        try:
            yield
        finally:
            process.communicate()
        assert process.returncode == 0


def _patience(store: EventSourcedStore) -> int:
    with store.application.datastore.one_statement() as cursor:
        milliseconds: int = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
    return milliseconds


def test_a_read_that_would_wait_is_refused_where_nobody_may_wait(
    file_store: EventSourcedStore, path: Path
) -> None:
    owner = session(file_store)
    flow_id = create(owner).flow_id
    shown = owner.find_json(flow_id)
    answers: list[object] = []

    def read() -> None:
        file_store.never_wait_here()
        answers.append(owner.find_json(flow_id))
        answers.append(_patience(file_store))
        with _recovered(path):
            for ask in (
                lambda: owner.find_json(flow_id),
                owner.latest_json,
                lambda: owner.summarize_tasks(flow_id),
                lambda: file_store.position_of(OWNER, flow_id),
            ):
                with pytest.raises(StoreBusy):
                    ask()
            answers.append("busy")
        answers.append(owner.find_json(flow_id))

    hurried = Thread(target=read)
    hurried.start()
    hurried.join()
    assert answers == [shown, 0, "busy", shown]
    assert _patience(file_store) == 1000
    assert owner.find_json(flow_id) == shown
