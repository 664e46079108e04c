"""What the tests of the server share."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_error_is_logged(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    """No caller can make the server, or waitress, log a warning or an error."""
    caplog.set_level(logging.WARNING)
    yield
    loud = [record for record in caplog.get_records("call") if record.levelno > logging.INFO]
    assert "expected_logs" in request.fixturenames or loud == []


@pytest.fixture
def expected_logs(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """The log of a test that looks at warnings and errors itself."""
    return caplog
