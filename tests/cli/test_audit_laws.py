"""What the commands show of generated flows in a real store is what their events add up to."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from contextlib import closing, nullcontext
from typing import Any, Final

import pytest
from attrs import evolve as replace
from hypothesis import given, settings

from adapters.cli import Dependencies
from adapters.presentation.documents import flow_document, task_documents
from adapters.store import EventSourcedStore, StoreAuditLog, open_for_writing
from domain.application.ports import Commit
from domain.application.recorded_events import RecordedEvent
from domain.flow.events import Event, FlowCreated
from domain.flow.ids import FlowId, Owner
from domain.flow.state import Flow
from tests.audit.histories import METADATA, any_events
from tests.cli.workbench import taskflow, tools_over
from tests.core.examples import EXAMPLES
from tests.store.commits import folded, save

URL: Final = "sqlite:///opened-already.db"


@pytest.mark.parametrize("flows", [20, pytest.param(1000, marks=pytest.mark.full)])
def test_a_flow_at_a_version_is_a_fold_of_its_first_events(url: str, flows: int) -> None:
    numbers = itertools.count()
    with closing(open_for_writing(url)) as store:
        audit_log = StoreAuditLog(store)
        tools = replace(tools_over(), open_audit_log=lambda *_: nullcontext(audit_log))

        @settings(EXAMPLES, max_examples=flows)
        @given(any_events)
        def check(events: tuple[Event, ...]) -> None:
            flow_id = f"flow-{next(numbers)}"
            check_each_version(tools, flow_id, saved(store, FlowId(flow_id), events))

        check()


def saved(store: EventSourcedStore, flow_id: FlowId, events: Sequence[Event]) -> list[Flow]:
    """Put a history into a store under an id and an owner of its own; return all its folds.

    Two live flows of one owner cannot have the same correlation key.
    """
    owner = Owner(f"owner of {flow_id}")
    own = [
        replace(e, flow_id=flow_id, owner=owner) if isinstance(e, FlowCreated) else e
        for e in events
    ]
    records = tuple(
        RecordedEvent(flow_id=flow_id, version=version, event=event, metadata=METADATA)
        for version, event in enumerate(own, 1)
    )
    flows = [folded(*own[:version]) for version in range(1, len(own) + 1)]
    save(store, Commit(events=records, before=None, flow=flows[-1]))
    return flows


def check_each_version(tools: Dependencies, flow_id: str, flows: Sequence[Flow]) -> None:
    for version, flow in enumerate(flows, 1):
        seen = {"flow": flow_document(flow), "tasks": task_documents(flow)}
        assert told(tools, "history", flow_id, "--at", str(version)).items() >= seen.items()
        given_by = told(tools, "why", flow_id, "status", "--at", str(version))["givenBy"]
        assert given_by["version"] == since(flows[:version])
    last = {flow.revision: flow for flow in flows}
    for revision, flow in last.items():
        shown = told(tools, "history", flow_id, "--at", f"r{revision}")
        assert shown["flow"] == flow_document(flow)


def since(flows: Sequence[Flow]) -> int:
    """Return the version since which a flow has had its last status."""
    changed = [v for v, (a, b) in enumerate(itertools.pairwise(flows), 2) if a.status != b.status]
    return changed[-1] if changed else 1


def told(tools: Dependencies, command: str, *argv: str) -> dict[str, Any]:
    ran = taskflow(tools, "audit", command, *argv, "--database", URL, "--json")
    assert (ran.code, ran.err) == (0, "")
    document: dict[str, Any] = json.loads(ran.out)
    return document
