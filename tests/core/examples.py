"""What the tests of the core share: how many examples, and what every change does to a flow."""

from __future__ import annotations

from typing import Any

from attrs import evolve as replace
from hypothesis import HealthCheck, settings

from adapters.testing.examples import NOW
from domain.flow.state import Flow

EXAMPLES = settings(
    max_examples=150,
    deadline=None,
    # A machine that others share may be slow at any moment; that says nothing of the strategies.
    suppress_health_check=[HealthCheck.too_slow],
)


def moved(flow: Flow, by: int = 1, **changes: Any) -> Flow:  # noqa: ANN401 - fields of a flow
    """Return a flow after `by` changes at `NOW`, which changed so much else."""
    revision, version = flow.revision + by, flow.version + by
    return replace(
        flow, revision=revision, version=version, updated_at=NOW, latest_at=NOW, **changes
    )
