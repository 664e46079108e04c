"""A store that is sown once, and a desk over it for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pages.seeds import Seeds, sow
from tests.pages.workbench import Desk, desk_over


@pytest.fixture(scope="session")
def sown(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Seeds]:
    """The URL of a store, and the flows in it."""
    url = f"sqlite:///{tmp_path_factory.mktemp('pages') / 'flows.db'}"
    return url, sow(url)


@pytest.fixture
def seeds(sown: tuple[str, Seeds]) -> Seeds:
    """The flows that were sown."""
    return sown[1]


@pytest.fixture
def desk(sown: tuple[str, Seeds]) -> Iterator[Desk]:
    """The pages over that store."""
    with desk_over(sown[0]) as desk:
        yield desk
