"""What a store that is open for writing needs from time to time."""

from __future__ import annotations

from adapters.store.faults import translated
from adapters.store.sqlite import LOG_LIMIT
from adapters.store.store import EventSourcedStore


def maintain(store: EventSourcedStore) -> None:
    """Verify the store's files, and shorten a write-ahead log that a long reader let grow.

    A store in memory needs neither. What is long is moved to the database while writers go on;
    then they are held up for as long as it takes to empty the file, unless one of them writes now
    or a reader still needs the log: then the next time.

    Raises:
        StoreUnavailable: if the store is not what was opened, or fails.
    """
    application = store.application
    custody = application.datastore.custody
    if custody is None:
        return
    custody.verify()
    if custody.log_size() <= LOG_LIMIT:
        return
    with translated():
        if application.datastore.checkpoint("PASSIVE"):
            with application.recorder.commits.paused() as is_idle:
                if is_idle:
                    application.datastore.checkpoint("TRUNCATE")
