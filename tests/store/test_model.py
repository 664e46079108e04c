"""The durable store against a naive one of lists and dictionaries: they give the same answers."""

from __future__ import annotations

from contextlib import closing

from hypothesis import given, settings

from adapters.store import open_for_writing
from tests.memory_store import WatchedStore
from tests.store.conftest import MEMORY
from tests.store.histories import History, Player, histories


@settings(deadline=None, max_examples=60)
@given(histories())
def test_any_history_has_the_answers_of_the_naive_store(history: History) -> None:
    with closing(open_for_writing(MEMORY)) as store:
        durable, naive = Player(store), Player(WatchedStore())
        for step in history:
            assert durable.play(step) == naive.play(step)
        assert durable.answers(history) == naive.answers(history)
