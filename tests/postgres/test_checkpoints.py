"""Nothing is signed of a database that has lost what was signed, as a late standby has."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.audit.checkpointing import CheckpointSigner, append_if_grown
from adapters.audit.keys import Signer
from adapters.store import EventSourcedStore, StoreAuditLog
from domain.flow.ids import FlowId
from domain.tlog.checkpoints import Unprovable
from tests.store.commits import commit, created, save
from tests.store.tables import execute


def test_a_head_behind_the_last_checkpoint_is_not_signed_and_neither_is_what_grows_from_it(
    store: EventSourcedStore, tmp_path: Path
) -> None:
    log = StoreAuditLog(store)
    key = Signer.generate("flows.example")
    signer = CheckpointSigner(file=tmp_path / "log", key=key, origin="flows.example")
    for number in range(3):
        save(store, commit(None, created(FlowId(f"flow-{number}"))))
    assert append_if_grown(log, signer) is not None
    execute(store, "DELETE FROM stored_events WHERE rowid = 3")
    execute(store, "DELETE FROM flow_index WHERE position = 3")
    execute(store, "DELETE FROM flow_filters WHERE position = 3")
    execute(store, "UPDATE log_head SET position = 2")
    with pytest.raises(Unprovable, match=r"no checkpoint was signed: the log has 2 events, of 3"):
        append_if_grown(log, signer)
    for number in range(7, 9):
        save(store, commit(None, created(FlowId(f"flow-{number}"))))
    with pytest.raises(Unprovable, match=r"is not the one that it was with 3 events"):
        append_if_grown(log, signer)
