"""Log lines on their way: a bounded queue, and a thread of its own that writes what waits in it.

Who logs never waits for the reader of the log. When the reader is slow and the queue is full,
the lines of requests are dropped until half of it is free again, so that what is missing is one
stretch; a line `log lines dropped` then stands in its place and says how many. The last quarter of
the queue is kept for warnings, errors and milestones. What cannot be written counts as dropped.
"""

from __future__ import annotations

import logging
import os
import select
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from types import NoneType
from typing import Final, TypeAlias

from attrs import define

from adapters.logs.lines import FIELDS, MILESTONE

MOST_OCTETS: Final = 8 * 1024 * 1024
"""What may wait and be in writing, by estimate: about 5,000 requests."""

FLUSH_SECONDS: Final = 1.0
"""How long the end of the program waits for the reader."""

_RECORD_OCTETS: Final = 1_500
"""What a record takes beside its texts."""

_BATCH: Final = 128
_GATHER_SECONDS: Final = 0.02
"""How long a line waits for others, unless it is urgent; they are written together."""

_RETRY_SECONDS: Final = 1.0
_SETTLED: Final = (str, int, float, NoneType)
_MOST_ARE: Final = frozenset({*_SETTLED, bool})


@define
class _Waiting:
    """What waits to be written: a record, or its line where the record could still change."""

    line: logging.LogRecord | str
    octets: int
    stands_for: int = 1


_Line: TypeAlias = tuple[bytes, int]
"""A line, and for how many lines it stands."""


class QueuedHandler(logging.Handler):
    """Writes records to a descriptor, in order, from a thread of its own.

    NOTE: `lock` is reentrant, so that a finaliser or a signal handler that logs while its thread
    holds it does not wait for itself; `handle` holds it around `emit`.
    """

    def __init__(self, descriptor: int, formatter: logging.Formatter) -> None:
        super().__init__()
        self.formatter: logging.Formatter = formatter
        self._descriptor = descriptor
        self._came = threading.Condition(self.lock)
        self._written = threading.Condition(self.lock)
        self._queue: deque[_Waiting] = deque()
        self._octets = 0
        self._dropped = 0
        self.dropped = 0
        """How many lines were dropped since the beginning."""
        self._writing = self._torn = self._closed = False
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a record, or drop it and count."""
        try:
            waiting = _waiting(record, self.formatter)
        except Exception:  # noqa: BLE001 - a line that cannot be formatted harms nobody else
            self._drop(1)
            return
        urgent = record.levelno >= logging.WARNING or getattr(record, MILESTONE, False)
        if self._octets + waiting.octets > self._room(urgent=urgent):
            self._drop(1)
            return
        if urgent or not self._queue:
            self._came.notify()
        if self._dropped and not urgent:
            self._put_notice()
        self._put(waiting)

    def flush(self) -> None:
        """Wait until all is written, but not longer than `FLUSH_SECONDS`."""
        with self._written:
            if self._closed:
                return
            if self._dropped:
                self._put_notice()
            self._came.notify()
            self._written.wait_for(self._is_idle, FLUSH_SECONDS)

    def close(self) -> None:
        """Flush, and end the thread; what could not be written by then is not."""
        self.flush()
        with self._came:
            self._closed = True
            self._came.notify()
        super().close()

    def _drop(self, lines: int) -> None:
        self._dropped += lines
        self.dropped += lines

    def _room(self, *, urgent: bool) -> int:
        if urgent:
            return MOST_OCTETS
        return MOST_OCTETS // 2 if self._dropped else MOST_OCTETS // 4 * 3

    def _put(self, waiting: _Waiting) -> None:
        self._queue.append(waiting)
        self._octets += waiting.octets

    def _put_notice(self) -> None:
        record = logging.makeLogRecord(
            {
                "name": __name__,
                "levelno": logging.WARNING,
                "levelname": "WARNING",
                "msg": "log lines dropped",
                FIELDS: {"lines": self._dropped},
            }
        )
        self._put(_Waiting(record, _RECORD_OCTETS, self._dropped))
        self._dropped = 0

    def _is_idle(self) -> bool:
        return not (self._queue or self._writing)

    # The thread

    def _write_all(self) -> None:
        while batch := self._next_batch():
            try:
                lines = [(_encoded(each.line, self.formatter), each.stands_for) for each in batch]
                dropped = sum(self._write(chunk) for chunk in _chunks(lines))
            except Exception:  # noqa: BLE001 - such as no memory: the next lines may do better
                dropped = sum(each.stands_for for each in batch)
            with self._came:
                self._drop(dropped)
                self._octets -= sum(each.octets for each in batch)

    def _next_batch(self) -> Sequence[_Waiting]:
        """Wait for lines and take them from the queue; none means that no more will come."""
        with self._came:
            self._writing = False
            self._written.notify_all()
            while not self._closed and not self._queue:
                came = self._came.wait(_RETRY_SECONDS if self._dropped else None)
                if self._dropped and not came:
                    self._put_notice()
                elif came:
                    # PERF: a wait for each line would cost a request 40 to 100 us of processor.
                    self._came.wait(_GATHER_SECONDS)
            if self._closed:
                return ()
            self._writing = True
            return [self._queue.popleft() for _ in range(min(len(self._queue), _BATCH))]

    def _write(self, lines: Sequence[_Line]) -> int:
        """Write lines, and return how many are lost because they cannot be written."""
        text = b"".join(line for line, _ in lines)
        if self._torn:  # the rest of a line never came: what follows begins on a line of its own
            lines, text = [(b"\n", 0), *lines], b"\n" + text
        written = 0
        try:
            while written < len(text) and not self._closed:
                written += self._write_some(text[written:])
        except OSError:
            self._torn = written not in _ends(lines) if written else self._torn
            return _lost(lines, written)
        self._torn = False
        return 0  # or closed: nobody counts any more

    def _write_some(self, text: bytes) -> int:
        try:
            return os.write(self._descriptor, text)
        except BlockingIOError:  # NOTE: another process may have set O_NONBLOCK
            select.select([], [self._descriptor], [])
            return 0


def _waiting(record: logging.LogRecord, formatter: logging.Formatter) -> _Waiting:
    # PERF: formatting takes longer than the rest of `emit`, so it is left to the thread wherever
    # nothing that is formatted can change until then.
    if record.args or record.exc_info or record.stack_info or not isinstance(record.msg, str):
        return _formatted(record, formatter)
    octets = _RECORD_OCTETS + len(record.msg)
    fields: Mapping[str, object] = getattr(record, FIELDS, {})
    values = fields.values()
    if not (
        _MOST_ARE.issuperset(map(type, values))
        or all(isinstance(value, _SETTLED) for value in values)
    ):
        return _formatted(record, formatter)
    texts = [value for value in values if isinstance(value, str)]
    return _Waiting(record, octets + sum(map(len, texts)))


def _formatted(record: logging.LogRecord, formatter: logging.Formatter) -> _Waiting:
    line = formatter.format(record)
    return _Waiting(line, _RECORD_OCTETS + len(line))


def _encoded(line: logging.LogRecord | str, formatter: logging.Formatter) -> bytes:
    text = line if isinstance(line, str) else formatter.format(line)
    return f"{text}\n".encode(errors="backslashreplace")


def _chunks(lines: Sequence[_Line]) -> Iterator[Sequence[_Line]]:
    """Divide lines into what is written at once.

    NOTE: a pipe takes up to PIPE_BUF bytes whole or not at all, so lines of several processes that
    share one do not run into each other.
    """
    chunk: list[_Line] = []
    size = 0
    for line in lines:
        if chunk and size + len(line[0]) > select.PIPE_BUF:
            yield chunk
            chunk, size = [], 0
        chunk.append(line)
        size += len(line[0])
    yield chunk


def _lost(lines: Sequence[_Line], written: int) -> int:
    """Return for how many lines those stand that were not written to their end."""
    ended = zip(lines, _ends(lines), strict=True)
    return sum(stands_for for (_, stands_for), end in ended if end > written)


def _ends(lines: Sequence[_Line]) -> Iterator[int]:
    return accumulate(len(line) for line, _ in lines)
