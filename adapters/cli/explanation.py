"""What `explain` says of a payload."""

from __future__ import annotations

from typing import Any

from attrs import frozen

_REFUSED = 400


@frozen
class ExplainedStep:
    """A step on a payload's way, whether it went well, and what it found."""

    name: str
    passed: bool
    found: str


@frozen(kw_only=True)
class Explanation:
    """The steps of a payload on its route, the action that it asks for, if any, and the answer."""

    route: str
    steps: tuple[ExplainedStep, ...]
    command: dict[str, Any] | None
    status: int
    body: dict[str, Any]

    @property
    def is_accepted(self) -> bool:
        """Say whether the sender would get a success."""
        return self.status < _REFUSED
