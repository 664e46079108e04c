"""Writers that write until they are killed: `python -m tests.prove.tailed_writers URL THREADS`."""

from __future__ import annotations

import sys
from threading import Thread
from uuid import uuid4

from adapters.store import open_for_writing
from domain.application.outcomes import Accepted
from domain.application.sessions import OwnerSession, TaskFlows
from domain.flow.commands import SetWaiting
from domain.flow.ids import FlowId
from tests.store.service import NOW, ORIGIN, OWNER, create


def main(url: str, threads: int) -> None:
    """Write from some threads, with a connection each."""
    store = open_for_writing(url)
    owner = TaskFlows(store, lambda: NOW, lambda: str(uuid4())).bind_session(OWNER)
    for _ in range(threads):
        Thread(target=_write, args=(owner,)).start()


def _write(owner: OwnerSession) -> None:
    while True:
        flow = FlowId(create(owner).flow_id)
        for revision in range(3):
            command = SetWaiting(flow_id=flow, expected_revision=revision)
            assert isinstance(owner.execute(command, ORIGIN), Accepted)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
