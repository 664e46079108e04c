"""A repeat by request key is answered from what is kept with the key, whatever came after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import pytest

from adapters.store import EventSourcedStore, rebuild
from domain.application.batch import carry_out
from domain.application.outcomes import Outcome
from domain.flow.commands import CancelFlow, Command, SetWaiting
from domain.flow.ids import FlowId
from domain.flow.values import Json
from tests.store.service import ORIGIN, creation, granted, keyed, run, session
from tests.store.tables import HEALTHY, PAST, execute, rows

FLOW = FlowId("id-1")
LARGE = Json('{"x":"' + "y" * 5000 + '"}')

UPDATE_STATE = "UPDATE past_flows SET state=? WHERE version=? AND task_id=?"


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
    execute(store, "UPDATE stored_events SET state=?", b"\0")


def test_a_repeat_reads_no_event(store: EventSourcedStore) -> None:
    played = _play(store)
    _hide_events(store)
    for key, (command, outcome) in played.items():
        again = granted(session(store).execute(command, keyed(key)))
        assert again == outcome
        assert again.is_replay


def test_a_repeated_cancellation_lists_the_tasks_as_they_were(
    store: EventSourcedStore,
) -> None:
    owner, cancel = session(store), CancelFlow(flow_id=FLOW)
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
        "UPDATE past_flows SET state='text'",
        "UPDATE past_flows SET checksum=0",
        "UPDATE past_flows SET version=version+1000000",
        "UPDATE past_flows SET flow_id='other'",
        "UPDATE past_flows SET state=(SELECT state FROM past_flows WHERE version=1)",
    ],
)
def test_a_state_that_is_missing_or_wrong_changes_no_answer(
    store: EventSourcedStore, damage: str
) -> None:
    played = _play(store)
    execute(store, damage)
    _assert_unchanged(store, played)


def test_a_state_that_says_something_else_changes_no_answer(store: EventSourcedStore) -> None:
    played = _play(store)
    for _, version, task_id, _, state in rows(store, PAST):
        other = bytes(cast("bytes", state)).replace(b"zapier", b"zapped")
        execute(store, UPDATE_STATE, other, version, task_id)
    _assert_unchanged(store, played)


def _assert_unchanged(
    store: EventSourcedStore, played: Mapping[str, tuple[Command, Outcome]]
) -> None:
    for key, (command, outcome) in played.items():
        assert session(store).execute(command, keyed(key)) == outcome
    kept = len(rows(store, PAST))
    rebuild(store)
    assert rebuild(store).changed == HEALTHY
    assert len(rows(store, PAST)) <= kept


def test_a_large_value_that_was_replaced_is_folded(store: EventSourcedStore) -> None:
    """The state of a key that did not set it holds a mark, which then stands for nothing."""
    owner = session(store)
    owner.execute(creation(), keyed("k1"))
    owner.execute(SetWaiting(flow_id=FLOW, expected_revision=0, state_json=LARGE), keyed("k2"))
    keeps = SetWaiting(flow_id=FLOW, expected_revision=1)
    first = owner.execute(keeps, keyed("k3"))
    size = max(len(str(row[-1])) for row in rows(store, PAST) if row[1] == 3)
    assert size < len(LARGE.text)
    other = Json('{"z":' + LARGE.text + "}")
    owner.execute(SetWaiting(flow_id=FLOW, expected_revision=2, state_json=other), keyed("k4"))
    assert owner.execute(keeps, keyed("k3")) == first
    assert rebuild(store).changed == HEALTHY


def test_keys_of_one_batch_may_stand_for_one_answer(store: EventSourcedStore) -> None:
    owner, again = session(store), run(FLOW, run_id="r1")
    owner.execute(creation(), ORIGIN)
    owner.execute(again, ORIGIN)
    both = [owner.submission(again, keyed(key)) for key in ("k1", "k2")]
    first, second = carry_out(store, both)
    assert first == second
    assert [row[1] for row in rows(store, PAST)] == [2]
    _hide_events(store)
    assert owner.execute(again, keyed("k2")) == second
