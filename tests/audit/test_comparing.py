"""A store is compared with its last checkpoint by a few hundred of its events."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from adapters.audit.checkpointing import CheckpointSigner, append_checkpoint
from adapters.audit.comparing import LastComparison, compare_with_last
from adapters.audit.keys import Signer
from adapters.audit.tile_file import tiles_path
from adapters.store import StoreAuditLog, open_for_reading
from domain.flow.commands import CreateFlow
from domain.tlog.checkpoints import Unprovable
from tests.cli.workbench import seeding

SIGNER = Signer.generate("flows.example")
TILE = 256


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a store of exactly one tile, and of its checkpoint and tiles."""
    folder = tmp_path_factory.mktemp("signed")
    with seeding(f"sqlite:///{folder}/flows.db") as bench:
        for number in range(TILE):
            bench.execute(CreateFlow(goal=f"{number}", controller_id="webhooks/a"))
    signer = CheckpointSigner(file=folder / "log", key=SIGNER, origin="flows.example")
    with closing(open_for_reading(f"sqlite:///{folder}/flows.db")) as store:
        append_checkpoint(StoreAuditLog(store), signer, progress=lambda *_: None)
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.fixture
def folder(signed: dict[str, bytes], tmp_path: Path) -> Path:
    """A folder with those files."""
    for name, contents in signed.items():
        (tmp_path / name).write_bytes(contents)
    return tmp_path


def compared(folder: Path) -> LastComparison | None:
    with closing(open_for_reading(f"sqlite:///{folder}/flows.db")) as store:
        return compare_with_last(
            StoreAuditLog(store), folder / "log", [SIGNER.verifier], lambda *_: None
        )


def edit(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "flows.db")) as connection, connection:
        assert connection.execute(statement).rowcount > 0


def test_a_store_that_was_signed_agrees(folder: Path) -> None:
    assert compared(folder) == LastComparison(size=TILE, problem=None)
    tiles_path(folder / "log").unlink()
    assert compared(folder) == LastComparison(size=TILE, problem=None)


def test_a_store_without_a_checkpoint_is_not_compared(folder: Path) -> None:
    (folder / "log").unlink()
    assert compared(folder) is None


def test_a_short_store_lacks_events(folder: Path) -> None:
    edit(folder, "DELETE FROM stored_events WHERE rowid > 250")
    problem = "6 events of 256 are missing: it has only 250"
    assert compared(folder) == LastComparison(size=TILE, problem=problem)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE stored_events SET topic = 'other' WHERE rowid = 200",
        "UPDATE stored_events SET rowid = 300 WHERE rowid = 200",
    ],
)
def test_tiles_that_lead_to_the_root_do_not_hide_what_was_changed(
    folder: Path, statement: str
) -> None:
    edit(folder, statement)
    problem = "its first 256 events are not those that were signed"
    assert compared(folder) == LastComparison(size=TILE, problem=problem)


def test_a_checkpoint_by_somebody_else_is_not_believed(folder: Path) -> None:
    other = Signer.generate("flows.example").verifier
    with (
        closing(open_for_reading(f"sqlite:///{folder}/flows.db")) as store,
        pytest.raises(Unprovable, match="its last checkpoint: it is not signed by the key"),
    ):
        compare_with_last(StoreAuditLog(store), folder / "log", [other], lambda *_: None)
