"""Stores on a PostgreSQL server that the tests of this room share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.store import migrate
from tests.postgres.server import empty, given_or_running, new_database


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The URL of a server, as a role that may make databases."""
    with given_or_running() as url:
        yield url


@pytest.fixture
def empty_url(server_url: str) -> Iterator[str]:
    """The URL of an empty database."""
    with new_database(server_url) as url:
        yield url


@pytest.fixture
def own_url(empty_url: str) -> str:
    """The URL of a new store in a database of its own."""
    migrate(empty_url)
    return empty_url


@pytest.fixture(scope="session")
def shared_url(server_url: str) -> Iterator[str]:
    """The URL of a database that tests use one after the other."""
    with new_database(server_url) as url:
        migrate(url)
        yield url


@pytest.fixture
def postgres_url(shared_url: str) -> str:
    """The URL of an empty store. PERF: to make a database takes half a second."""
    empty(shared_url)
    return shared_url
