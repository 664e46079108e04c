"""A copy by pg_dump, put back by pg_restore, is the same log."""

from __future__ import annotations

import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from adapters.store import (
    EventSourcedStore,
    StoreAuditLog,
    StoreFault,
    migrate,
    open_for_reading,
    open_for_writing,
)
from domain.flow.ids import FlowId
from tests.postgres.server import programs
from tests.store.commits import WAITS, commit, created, folded, save


@pytest.mark.full
def test_a_dump_that_is_restored_and_migrated_is_the_same_store(
    store: EventSourcedStore, url: str, empty_url: str, tmp_path: Path
) -> None:
    save(store, commit(None, created()))
    save(store, commit(folded(created()), WAITS))
    dump = str(tmp_path / "dump")
    for words in (["pg_dump", "-Fc", "-f", dump, url], ["pg_restore", "-O", "-d", empty_url, dump]):
        subprocess.run([programs() / words[0], *words[1:]], check=True)  # noqa: S603 - of the tests' server
    with closing(open_for_reading(empty_url)) as copy:
        entries = list(StoreAuditLog(copy).entries())
    assert entries == list(StoreAuditLog(store).entries())
    with pytest.raises(StoreFault, match="run taskflow store migrate as that role"):
        open_for_writing(empty_url)
    migrate(empty_url)
    with closing(open_for_writing(empty_url)) as copy:
        save(copy, commit(None, created(FlowId("flow-2"))))
        assert [position for position, _ in copy.log()] == [1, 2, 3]
