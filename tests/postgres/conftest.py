"""What the tests of this room look at: a store on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from adapters.store import EventSourcedStore, open_for_writing


@pytest.fixture
def url(postgres_url: str) -> str:
    """The URL of a new store."""
    return postgres_url


@pytest.fixture
def store(url: str) -> Iterator[EventSourcedStore]:
    """A new store."""
    with closing(open_for_writing(url)) as store:
        yield store
