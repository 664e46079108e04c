"""A process that holds a store open for writing: `python -m tests.store.writing_process URL MODE`.

It prints `open`, or the fault that kept it from that and ends with 1. `hold` waits until its
standard input ends; `write` writes without an end and prints a line for each commit that was
acknowledged: the flow's id, its revision, and the request key.
"""

from __future__ import annotations

import itertools
import os
import sys
from contextlib import closing

from adapters.store import EventSourcedStore, StoreFault, open_for_writing
from domain.flow.commands import CancelFlow, Command, SetWaiting
from domain.flow.ids import FlowId
from tests.store.service import creation, keyed, run, session, shown


def write_for_ever(store: EventSourcedStore) -> None:
    """Write one flow after the other, and say so after each commit."""
    numbers = itertools.count(1)
    owner = session(store, prefix=f"p{os.getpid()}")

    def execute(command: Command) -> str:
        key = f"k{next(numbers)}"
        flow = shown(owner.execute(command, keyed(key)))
        sys.stdout.write(f"{flow.flow_id} {flow.revision} {key}\n")
        sys.stdout.flush()
        return flow.flow_id

    while True:
        flow_id = execute(creation())
        execute(run(FlowId(flow_id)))
        for revision in range(5):
            step = str(revision)
            execute(
                SetWaiting(flow_id=FlowId(flow_id), expected_revision=revision, current_step=step)
            )
        execute(CancelFlow(flow_id=FlowId(flow_id)))


def main(url: str, mode: str) -> int:
    """Open the store, and hold or write it."""
    try:
        store = open_for_writing(url)
    except StoreFault as fault:
        sys.stdout.write(f"{fault}\n")
        return 1
    with closing(store):
        sys.stdout.write("open\n")
        sys.stdout.flush()
        if mode == "write":
            write_for_ever(store)
        sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
