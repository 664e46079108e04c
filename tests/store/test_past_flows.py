"""A repeat by request key is answered from what is kept with the key, whatever came after it."""

from __future__ import annotations

import pytest

from adapters.store import EventSourcedStore, rebuild
from domain.application.outcomes import Outcome
from domain.flow.commands import CancelFlow, Command, SetWaiting
from domain.flow.ids import FlowId
from domain.flow.values import Json
from tests.store.service import ORIGIN, creation, granted, keyed, run, session
from tests.store.tables import HEALTHY, PAST, execute, rows

FLOW = FlowId("id-1")
LARGE = Json('{"x":"' + "y" * 5000 + '"}')


def _play(store: EventSourcedStore) -> dict[str, tuple[Command, Outcome]]:
    owner = session(store)
    commands: dict[str, Command] = {
        "k1": creation(),
        "k2": run(FLOW, run_id="r1"),
        "k3": run(FLOW, run_id="r2"),
        "k4": SetWaiting(flow_id=FLOW, expected_revision=0, state_json=LARGE),
        "k5": SetWaiting(flow_id=FLOW, expected_revision=1, state_json=Json("1")),
        "k6": run(FLOW, run_id="r2"),
        "k7": CancelFlow(flow_id=FLOW),
        "k8": CancelFlow(flow_id=FLOW),
    }
    return {key: (each, owner.execute(each, keyed(key))) for key, each in commands.items()}


def _hide_events(store: EventSourcedStore) -> None:
    execute(store, "UPDATE stored_events SET state=x'00'")


def test_a_repeat_reads_no_event(file_store: EventSourcedStore) -> None:
    played = _play(file_store)
    _hide_events(file_store)
    for key, (command, outcome) in played.items():
        again = granted(session(file_store).execute(command, keyed(key)))
        assert again == outcome
        assert again.is_replay


def test_a_repeated_cancellation_lists_the_tasks_as_they_were(
    file_store: EventSourcedStore,
) -> None:
    owner, cancel = session(file_store), CancelFlow(flow_id=FLOW)
    owner.execute(creation(), keyed("k"))
    for number in range(65):
        owner.execute(run(FLOW, run_id=f"r{number}"), ORIGIN)
    first = granted(owner.execute(cancel, keyed("many")))
    assert len(first.tasks) == 65
    assert owner.execute(cancel, keyed("many")) == first


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM past_flows",
        "UPDATE past_flows SET state=x'00'",
        "UPDATE past_flows SET state='text'",
        "UPDATE past_flows SET checksum=0",
        "UPDATE past_flows SET state=CAST(replace(state, 'zapier', 'zapped') AS BLOB)",
        "UPDATE past_flows SET version=version+1000000",
        "UPDATE past_flows SET flow_id='other'",
        "UPDATE past_flows SET state=(SELECT state FROM past_flows WHERE version=1)",
    ],
)
def test_a_state_that_is_missing_or_wrong_changes_no_answer(
    file_store: EventSourcedStore, damage: str
) -> None:
    played = _play(file_store)
    execute(file_store, damage)
    for key, (command, outcome) in played.items():
        assert session(file_store).execute(command, keyed(key)) == outcome
    kept = len(rows(file_store, PAST))
    rebuild(file_store)
    assert rebuild(file_store).changed == HEALTHY
    assert len(rows(file_store, PAST)) <= kept


def test_a_large_value_that_was_replaced_is_folded(file_store: EventSourcedStore) -> None:
    """The state of a key that did not set it holds a mark, which then stands for nothing."""
    owner = session(file_store)
    owner.execute(creation(), keyed("k1"))
    owner.execute(SetWaiting(flow_id=FLOW, expected_revision=0, state_json=LARGE), keyed("k2"))
    keeps = SetWaiting(flow_id=FLOW, expected_revision=1)
    first = owner.execute(keeps, keyed("k3"))
    size = max(len(str(row[-1])) for row in rows(file_store, PAST) if row[1] == 3)
    assert size < len(LARGE.text)
    other = Json('{"z":' + LARGE.text + "}")
    owner.execute(SetWaiting(flow_id=FLOW, expected_revision=2, state_json=other), keyed("k4"))
    assert owner.execute(keeps, keyed("k3")) == first
    assert rebuild(file_store).changed == HEALTHY
