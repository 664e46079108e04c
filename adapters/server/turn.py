"""One worker computes at a time; one that waits for the disk lets the next one go on.

PERF: the interpreter runs one thread at a time anyhow. Workers that compete for it pass it on at
each call of SQLite and of a socket, and wait to get it back: with four callers `get_flow` was
slower than with one. Workers in turn do not compete, and many may wait for one sync: with syncs of
2 ms and 16 callers, changes rose from 514 to 1,156 a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Lock, local
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication

PATIENCE: Final = 0.02
"""Seconds after which a worker computes out of turn: a long answer holds nobody up for longer."""


class Turn:
    """What a worker takes before it computes, and gives up while it waits."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._lock = Lock()
        self._mine = local()

    def over(self, app: WSGIApplication) -> WSGIApplication:
        """Return an application that takes the turn for as long as it makes its answer."""

        def answer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
            self._take()
            try:
                return app(environ, start_response)
            finally:
                self._give()

        return answer

    @contextmanager
    def given_up(self) -> Iterator[None]:
        """Let others compute meanwhile, if this thread has the turn; take it again afterwards."""
        had_it = self._give()
        try:
            yield
        finally:
            if had_it:
                self._take()

    def _take(self) -> None:
        self._mine.held = self._lock.acquire(timeout=self._patience)

    def _give(self) -> bool:
        if not getattr(self._mine, "held", False):
            return False
        self._mine.held = False
        self._lock.release()
        return True
