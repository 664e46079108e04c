"""The log of refusals as the gateway sees it: noting costs a request nothing, a thread writes.

What is noted is on disk within `_GATHER_SECONDS` and a commit; a process that is killed loses no
more than that. A disk that fails hurts no request: what waits for it goes on waiting, in bounded
memory, and what has no room there is counted as dropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from typing import Final, TypeAlias

from attrs import asdict, define, field

from adapters.presentation.answer_codes import http_status
from adapters.store.refusals import schema
from adapters.store.refusals.buffer import RefusalBatch, RefusalBuffer, total_of
from adapters.store.refusals.place import SidePlace, SideTables, side_place
from domain.history.refused_requests import DeniedRequest, NoteDenied, RefusedRequest

_GATHER_SECONDS: Final = 0.25
"""How long a batch gathers; this bounds what `kill -9` loses, and how often the disk is synced."""

_RETRY_SECONDS: Final = 1.0
_LAST_SECONDS: Final = 10.0
_MOST_BUFFERED: Final = 10_000

OnFault: TypeAlias = Callable[[Exception], None]
"""Is called when writing begins to fail (once until it succeeds), and with what was lost."""


class RefusalsLost(Exception):  # noqa: N818 - what is said of them
    """Refusals that could not be written before the gateway ended; the sentence says how many."""


@contextmanager
def recording_refusals(
    url: str,
    *,
    most: int,
    on_fault: OnFault,
    buffered: int = _MOST_BUFFERED,
    on_drop: Callable[[], None] = lambda: None,
) -> Iterator[NoteDenied]:
    """Give what notes the refusals of a store that this process writes to.

    At most `most` calls are kept, the newest; `buffered` may be on their way to the disk;
    `on_drop` is called for each that found no room. At the end all that was noted is written. A
    store in memory has no log: nobody else could read it.
    """
    place = side_place(url)
    if place is None:
        yield _ignore
        return
    log = RefusalWriter(place, most, on_fault, RefusalBuffer(buffered, on_drop))
    log.start()
    try:
        yield log.note
    finally:
        log.close()


def _ignore(_: DeniedRequest) -> None:
    """Note nothing."""


@define(eq=False)
class RefusalWriter:
    """Writes what is noted, batch by batch, in a thread of its own."""

    place: SidePlace
    most: int
    on_fault: OnFault
    _buffer: RefusalBuffer
    _tables: SideTables | None = field(default=None, init=False)
    _failing: bool = field(default=False, init=False)
    _stopping: Event = field(factory=Event, init=False)
    _thread: Thread = field(init=False)

    def start(self) -> None:
        """Begin to write."""
        self._thread = Thread(target=self._run, name="refusals", daemon=True)
        self._thread.start()

    def note(self, refused: DeniedRequest) -> None:
        """Note what a caller was refused."""
        self._buffer.add(refused)

    def close(self) -> None:
        """Write all that was noted, and end; what the disk does not take by then is lost."""
        self._stopping.set()
        self._buffer.arrived.set()
        self._thread.join(_LAST_SECONDS)
        if lost := self._buffer.count():
            self.on_fault(RefusalsLost(f"{lost:,} refusals were not written"))

    def _run(self) -> None:
        self._write()
        while not self._stopping.is_set():
            self._buffer.arrived.wait()
            self._stopping.wait(_RETRY_SECONDS if self._failing else _GATHER_SECONDS)
            self._buffer.arrived.clear()
            self._write()
        self._write()  # what was noted while the last batch was written
        if self._tables is not None:
            self._tables.close()

    def _write(self) -> None:
        batch = self._buffer.batch()
        try:
            if self._tables is None:
                self._tables = self.place.open()
            _write_batch(self._tables, batch, self.most)
        except Exception as fault:  # noqa: BLE001 - whatever it is, the next turn may do better
            if not self._failing:
                self.on_fault(fault)
            self._failing = True
            self._buffer.arrived.set()
        else:
            self._failing = False
            self._buffer.written(batch)


def _write_batch(tables: SideTables, batch: RefusalBatch, most: int) -> None:
    """Write a batch and its counts, and drop the oldest calls beyond `most`: all, or nothing.

    NOTE: a second attempt must keep the connection. A commit that failed is rolled back in it;
    opened anew it might find that batch in the write-ahead log, which would then be counted twice.
    """
    totals = Counter(map(total_of, batch.calls))
    with tables.transaction() as cursor:
        cursor.executemany(schema.INSERT_CALL, map(_row, batch.calls))
        cursor.executemany(schema.ADD_TO_TOTAL, [(*total, n, 0) for total, n in totals.items()])
        cursor.executemany(
            schema.ADD_TO_TOTAL, [(*total, n, n) for total, n in batch.overflown.items()]
        )
        cursor.executemany(
            schema.ADD_TURNED_AWAY, [(*turning, n) for turning, n in batch.turned_away.items()]
        )
        cursor.execute(schema.LAST_TO_DROP, (most,))
        last = tuple(cursor.fetchone())
        cursor.execute(schema.COUNT_DROPPED, last)
        cursor.execute(schema.DROP, last)


def _row(call: RefusedRequest) -> Sequence[object]:
    values = {**asdict(call), "status": http_status(call.code)}
    return [values[name] for name in schema.CALL_COLUMNS]
