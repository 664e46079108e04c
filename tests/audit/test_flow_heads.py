"""A flow's owner and revision, as the log passes by."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import pytest

from domain.flow.evolve import BrokenHistory
from domain.flow.ids import Owner
from domain.history.audit_log import AuditLog
from domain.history.flow_heads import FlowHeads
from domain.history.selection import Selection, selected
from tests.audit.logs import OWNERS, busy_log
from tests.store.tables import execute


@pytest.mark.parametrize("most", [1, 2, 50_000])
def test_every_standing_is_what_the_events_up_to_there_add_up_to(tmp_path: Path, most: int) -> None:
    with busy_log(tmp_path / "flows.db") as audit_log:
        standings = FlowHeads(audit_log, most)
        for entry in audit_log.entries():
            standing = standings.after(audit_log.read(entry))
            flow = audit_log.load(entry.flow_id, entry.version)
            assert flow is not None
            found = (standing.version, standing.owner, standing.revision)
            assert found == (flow.version, flow.owner, flow.revision)


def test_a_flow_without_its_creation_has_no_standing(tmp_path: Path) -> None:
    with busy_log(tmp_path / "flows.db") as audit_log:
        entry = next(entry for entry in audit_log.entries() if entry.version == 2)
        execute(audit_log.store, "DELETE FROM stored_events WHERE originator_version = 1")
        with pytest.raises(BrokenHistory, match="before the flow was created"):
            FlowHeads(audit_log).after(audit_log.read(entry))


def test_every_event_has_one_owner(tmp_path: Path) -> None:
    with busy_log(tmp_path / "flows.db") as audit_log:
        ours = [positions(audit_log, Owner(owner)) for owner in OWNERS]
        assert sorted(chain.from_iterable(ours)) == list(range(1, audit_log.size() + 1))
        assert all(ours)


def positions(audit_log: AuditLog, owner: Owner) -> list[int]:
    selection = Selection(first=1, last=audit_log.size(), owner=owner)
    return [entry.position for entry in selected(audit_log, selection)]
