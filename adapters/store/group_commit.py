"""Writers that wait for the same disk share one commit: leader and followers.

The thread that gets the turn commits all pending writes, each in a savepoint of its own, so that
one that conflicts takes nothing else with it. A writer learns of success only after the commit that
held its write has been synced, as if it had committed alone.

A database that somebody else has locked is waited for; but a writer that follows a failed commit
does not wait, until one has succeeded. Else those who write would wait one after the other, and
nobody would be left to answer those who only read.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Lock
from typing import TypeAlias

from attrs import define, field
from eventsourcing.persistence import IntegrityError
from eventsourcing.sqlite import SQLiteCursor, SQLiteDatastore

Ids: TypeAlias = Sequence[int] | None
Write: TypeAlias = Callable[[SQLiteCursor], Ids]
WhileWaiting: TypeAlias = Callable[[], AbstractContextManager[None]]
"""Entered by a thread while it waits for the disk, so that others may compute meanwhile."""


@define(eq=False)
class _Job:
    """A write that waits, and what became of it."""

    write: Write
    ids: Ids = None
    fault: BaseException | None = None
    done: bool = False


@define(eq=False)
class GroupCommit:
    """Commits the writes of many threads, those that wait together in one transaction."""

    datastore: SQLiteDatastore
    while_waiting: WhileWaiting = nullcontext
    _pending_writes: deque[_Job] = field(factory=deque, init=False)
    _turn: Lock = field(factory=Lock, init=False)
    _failed: bool = field(default=False, init=False)

    def commit(self, write: Write) -> Ids:
        """Run a write within a transaction, and return what it returned, once it is on disk.

        Raises:
            IntegrityError: if the write conflicts with what is stored; nothing of it is.
            Exception: whatever broke the transaction, for every write that was in it.
        """
        job = _Job(write)
        self._pending_writes.append(job)
        with self.while_waiting(), self._turn:
            if not job.done:
                self._commit_all()
        if job.fault is not None:
            raise job.fault
        return job.ids

    @contextmanager
    def paused(self) -> Iterator[bool]:
        """Let nobody commit meanwhile, and yield True; or False, if somebody commits just now."""
        is_idle = self._turn.acquire(blocking=False)
        try:
            yield is_idle
        finally:
            if is_idle:
                self._turn.release()

    def _commit_all(self) -> None:
        jobs = [self._pending_writes.popleft() for _ in range(len(self._pending_writes))]
        try:
            with (
                self.datastore.transaction(commit=True) as cursor,
                no_patience(self.datastore, cursor) if self._failed else nullcontext(),
            ):
                for job in jobs:
                    _run(job, cursor, alone=len(jobs) == 1)
            self._failed = False
        except BaseException as fault:  # whatever it is: nobody in this transaction has written
            self._failed = not isinstance(fault, IntegrityError)
            for job in jobs:
                job.fault = job.fault or fault
            if not isinstance(fault, Exception):
                raise
        finally:
            for job in jobs:
                job.done = True


@contextmanager
def no_patience(datastore: SQLiteDatastore, cursor: SQLiteCursor) -> Iterator[None]:
    """Wait for no lock meanwhile; afterwards as the datastore does."""
    cursor.execute("PRAGMA busy_timeout=0")
    try:
        yield
    finally:
        cursor.execute(f"PRAGMA busy_timeout={(datastore.pool.lock_timeout or 0) * 1000}")


def _run(job: _Job, cursor: SQLiteCursor, *, alone: bool) -> None:
    """Run a job; one that conflicts is undone by itself, any other fault ends the transaction."""
    if alone:
        job.ids = job.write(cursor)
        return
    cursor.execute("SAVEPOINT job")
    try:
        job.ids = job.write(cursor)
    except sqlite3.IntegrityError as conflict:
        cursor.execute("ROLLBACK TO job")
        job.fault = IntegrityError(str(conflict))
    cursor.execute("RELEASE job")
