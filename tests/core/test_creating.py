from __future__ import annotations

import pytest
from attrs import evolve as replace

from adapters.testing.examples import CREATED, CREATED_FLOW, FLOW, NOW, OWNER, STRANGER
from adapters.testing.scenario import given
from domain.flow.commands import CreateFlow
from domain.flow.events import FlowCreated
from domain.flow.ids import Owner
from domain.flow.refusals import Refusal, RefusalCode
from domain.flow.status import LIVE, FlowStatus, NotifyPolicy
from domain.flow.values import JSON_NULL, Json

CREATE = CreateFlow(goal="ship it", controller_id="webhooks/zapier")


def test_a_plain_flow_begins_queued_at_revision_zero() -> None:
    decided = given().when(CREATE, at=NOW, new_id=FLOW)
    decided.then(replace(CREATED, at=NOW))
    assert decided.flow == replace(CREATED_FLOW, created_at=NOW, updated_at=NOW, latest_at=NOW)


def test_a_flow_begins_with_all_that_was_asked_for() -> None:
    command = replace(
        CREATE,
        status=FlowStatus.WAITING,
        notify_policy=NotifyPolicy.SILENT,
        current_step="build",
        state_json=JSON_NULL,
        wait_json=Json('{"for":"tests"}'),
    )
    decided = given().when(command, new_id=FLOW)
    decided.then(
        FlowCreated(
            at=NOW,
            flow_id=FLOW,
            owner=OWNER,
            controller_id="webhooks/zapier",
            goal="ship it",
            status=FlowStatus.WAITING,
            notify_policy=NotifyPolicy.SILENT,
            current_step="build",
            state_json=JSON_NULL,
            wait_json=Json('{"for":"tests"}'),
        ),
    )
    assert decided.flow == replace(
        CREATED_FLOW,
        created_at=NOW,
        updated_at=NOW,
        latest_at=NOW,
        status=FlowStatus.WAITING,
        notify_policy=NotifyPolicy.SILENT,
        current_step="build",
        state_json=JSON_NULL,
        wait_json=Json('{"for":"tests"}'),
    )


@pytest.mark.parametrize("status", sorted(LIVE))
def test_a_flow_begins_in_any_live_status(status: FlowStatus) -> None:
    assert given().when(replace(CREATE, status=status)).flow.status is status


@pytest.mark.parametrize("owner", [OWNER, STRANGER])
def test_a_flow_is_not_created_twice_and_shows_nothing_of_the_first(owner: Owner) -> None:
    assert given(CREATED).when(CREATE, owner=owner).decision == Refusal(
        code=RefusalCode.CREATE_REJECTED, reason="Flow already exists."
    )
