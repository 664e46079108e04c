"""A store that is sown once, and a desk over it for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pages.seeds import Seeds, Sown, sow
from tests.pages.workbench import Desk, desk_over


@pytest.fixture(scope="session")
def sown(tmp_path_factory: pytest.TempPathFactory) -> Sown:
    """A store, the flows in it, and its checkpoints."""
    return sow(tmp_path_factory.mktemp("pages"))


@pytest.fixture
def seeds(sown: Sown) -> Seeds:
    """The flows that were sown."""
    return sown.seeds


@pytest.fixture
def desk(sown: Sown) -> Iterator[Desk]:
    """The pages over that store."""
    with desk_over(sown) as desk:
        yield desk
