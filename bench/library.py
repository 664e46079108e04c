"""What the library's own recorder gives: `python -m bench.library URL THREADS SECONDS`.

Threads insert one event after the other, and nothing that follows from it, without HTTP: so it has
less to do than a gateway. Prints events and seconds.
"""

from __future__ import annotations

import sys
import time
from threading import Barrier, Thread
from urllib.parse import urlsplit
from uuid import uuid4

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

_STATE = b'{"goal":"bench","owner":"agent:new:main","state":"%b"}' % (b"x" * 500)


def main(url: str, threads: int, seconds: float) -> None:
    """Insert for some seconds; for no time, make the table, which two at once cannot."""
    server = urlsplit(url)
    datastore = PostgresDatastore(
        dbname=server.path[1:],
        host=server.hostname or "",
        port=server.port or 5432,
        user=server.username or "",
        password="none",  # noqa: S106 - the server trusts
        pool_size=threads,
        originator_id_type="text",
    )
    recorder = PostgresApplicationRecorder(datastore, events_table_name="library_events")
    if not seconds:
        recorder.create_table()
    counts, start = [0] * threads, Barrier(threads)

    def insert(number: int) -> None:
        start.wait()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            event = StoredEvent(str(uuid4()), 1, "taskflow.flow_created.v1", _STATE)
            recorder.insert_events([event])
            counts[number] += 1

    working = [Thread(target=insert, args=(number,)) for number in range(threads)]
    began = time.monotonic()
    for each in working:
        each.start()
    for each in working:
        each.join()
    print(sum(counts), time.monotonic() - began)
    datastore.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
