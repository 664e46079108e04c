"""The answers that wait for their callers to take them, bounded in all together."""

from __future__ import annotations

from typing import Any

from adapters.server.sockets import LOGGER


class HeldAnswers:
    """Knows on which connections answers wait."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held: set[Any] = set()

    def add(self, channel: Any) -> None:  # noqa: ANN401 - a channel
        """Count an answer that waits; where too much waits in all, close who has most to take.

        NOTE: a caller that reads slowly has less to take with each look than one that never reads.
        """
        self._held = {held for held in (*self._held, channel) if held.total_outbufs_len}
        excess = sum(held.held_bytes for held in self._held) - self._most
        while excess > 0 and len(self._held) > 1:
            most = max(self._held, key=lambda held: int(held.total_outbufs_len))
            LOGGER.info("too many answers wait to be taken: one is given up")
            excess -= most.held_bytes
            self._held.discard(most)
            most.handle_close()
