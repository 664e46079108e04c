"""Identifiers, each a type of its own, so that none can be handed over in the place of another."""

from __future__ import annotations

from typing import NewType

Owner = NewType("Owner", str)
"""The session key that a flow belongs to, as in `agent:main:main`; it never leaves in an answer."""

FlowId = NewType("FlowId", str)
"""Names one flow, and the stream of its events."""

TaskId = NewType("TaskId", str)
"""Names a child task within its flow."""

RouteId = NewType("RouteId", str)
"""Names a configured route, as in `zapier`."""

KeyId = NewType("KeyId", str)
"""Names one of a route's secrets, as in `2026-01`; `default` for a plain `secret`."""

CallerId = NewType("CallerId", str)
"""A key of a route, as in `zapier/2026-01`; no key's id has a slash."""

RequestId = NewType("RequestId", str)
"""Names one request, in its answer, its log line and the events that it caused."""
