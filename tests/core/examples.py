"""How many examples the properties of the core are tried on."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

EXAMPLES = settings(
    max_examples=150,
    deadline=None,
    # A machine that others share may be slow at any moment; that says nothing of the strategies.
    suppress_health_check=[HealthCheck.too_slow],
)
