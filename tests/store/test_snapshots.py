"""Snapshots are only a cache: without them every answer is the same."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings

from adapters.store import EventSourcedStore, open_for_writing
from domain.flow.evolve import fold
from tests.store.conftest import MEMORY
from tests.store.histories import History, Player, histories
from tests.store.tables import SNAPSHOTS, delete_caches, rows


def _compare(history: History, kept: EventSourcedStore, bare: EventSourcedStore) -> None:
    with_snapshots, without = Player(kept), Player(bare)
    for step in history:
        delete_caches(bare)
        assert with_snapshots.play(step) == without.play(step)
    delete_caches(bare)
    assert with_snapshots.answers(history) == without.answers(history)


@settings(deadline=None, max_examples=50)
@given(histories())
def test_deleting_the_snapshots_before_every_command_changes_no_answer(history: History) -> None:
    with ExitStack() as stack:
        kept = stack.enter_context(closing(open_for_writing(MEMORY)))
        bare = stack.enter_context(closing(open_for_writing(MEMORY)))
        _compare(history, kept, bare)


@settings(deadline=None, max_examples=8)
@given(histories())
def test_it_changes_no_answer_of_a_file_either(history: History) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        kept = stack.enter_context(closing(open_for_writing(f"sqlite:///{folder}/kept.db")))
        bare = stack.enter_context(closing(open_for_writing(f"sqlite:///{folder}/bare.db")))
        _compare(history, kept, bare)


@settings(deadline=None, max_examples=40)
@given(histories())
def test_each_flow_has_one_snapshot_and_it_is_the_fold_of_its_history(history: History) -> None:
    with closing(open_for_writing(MEMORY)) as store:
        player = Player(store)
        for step in history:
            player.play(step)
        snapshots = [row[:2] for row in rows(store, SNAPSHOTS)]
        flows = sorted({record.flow_id for _, record in store.log()})
        assert [flow_id for flow_id, _ in snapshots] == flows
        for flow_id in flows:
            events = [record.event for record in store.history(flow_id)]
            assert store.load(flow_id) == fold(None, events)
            assert (flow_id, len(events)) in snapshots
