"""The stores that the tests of this room work on: a real file, and the application in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from adapters.store import EventSourcedStore, open_for_writing

MEMORY = "sqlite://:memory:"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file of a store is, or will be."""
    return tmp_path / "flows.db"


@pytest.fixture
def file_url(path: Path) -> str:
    """The URL of that file."""
    return f"sqlite:///{path}"


@pytest.fixture
def file_store(file_url: str) -> Iterator[EventSourcedStore]:
    """A new store in a file."""
    with closing(open_for_writing(file_url, lock_timeout=1)) as store:
        yield store


@pytest.fixture(params=["file", "memory", "postgres"])
def url(request: pytest.FixtureRequest, file_url: str) -> str:
    """The URL of a new store, of any kind."""
    if request.param == "postgres":
        url: str = request.getfixturevalue("postgres_url")
        return url
    return file_url if request.param == "file" else MEMORY


@pytest.fixture
def store(url: str) -> Iterator[EventSourcedStore]:
    """A new store, of either kind."""
    with closing(open_for_writing(url)) as store:
        yield store
