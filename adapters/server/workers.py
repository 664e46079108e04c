"""The threads that run the application, or what it puts off."""

from __future__ import annotations

import logging

from waitress.task import ThreadedTaskDispatcher  # type: ignore[import-untyped]

from adapters.server.sockets import LOGGER


class Workers(ThreadedTaskDispatcher):  # type: ignore[misc]
    """Threads that take one task after the other."""

    logger = LOGGER
    # NOTE: waitress warns of every request that finds all workers busy; a queue is for that.
    queue_logger = logging.getLogger("taskflow.server.queue")
    queue_logger.setLevel(logging.CRITICAL)
