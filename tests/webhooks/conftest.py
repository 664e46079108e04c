"""What most of these tests begin with."""

from __future__ import annotations

import pytest

from tests.webhooks.gateway import Gateway


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()
