"""The gateway with `PRAGMA synchronous=OFF`: what a proof about power cuts must find fault with.

`python -m tests.prove.unsynced serve ...` is `python -m app serve ...` but for that.
"""

from __future__ import annotations

import sys

import app
from adapters.store import sqlite
from adapters.store.sqlite_pool import Pool, StoreConnection


class Unsynced(Pool):
    """Connections that leave it to the system when what they wrote gets to the disk."""

    def _create_connection(self) -> StoreConnection:
        made = super()._create_connection()
        made._sqlite_conn.execute("PRAGMA synchronous=OFF")  # noqa: SLF001 - as in the pool itself
        return made


if __name__ == "__main__":
    vars(sqlite).update(Pool=Unsynced, FULL=0)
    sys.exit(app.main())
