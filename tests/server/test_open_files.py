"""The limit of open files that the system sets."""

import resource
import subprocess
import sys
from collections.abc import Iterator

import pytest

from adapters.server.sockets import room_for_connections


@pytest.fixture
def low_limit() -> Iterator[int]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
    yield 200
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_low_limit_is_raised_as_far_as_it_is_needed(low_limit: int) -> None:
    assert room_for_connections(low_limit) == low_limit
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == low_limit + 64


def test_a_sufficient_limit_is_left_alone(low_limit: int) -> None:
    assert room_for_connections(low_limit - 64) == low_limit - 64
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == low_limit


PROGRAM = """
import resource
from adapters.server.sockets import room_for_connections

resource.setrlimit(resource.RLIMIT_NOFILE, (100, 150))
print(room_for_connections(1000))
"""


def test_where_the_limit_cannot_be_raised_fewer_connections_fit() -> None:
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(  # noqa: S603 - our own program
        command, capture_output=True, text=True, check=True
    )
    assert done.stdout == "86\n"
    assert done.stderr == "the limit of 150 open files leaves room for fewer connections\n"
