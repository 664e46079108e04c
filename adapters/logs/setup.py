"""Where log records go, and how the rooms write them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TextIO, TypeAlias

from adapters.logs.lines import FIELDS

Fields: TypeAlias = Mapping[str, object]
"""The named values of a record; None is left out."""


def configure(stream: TextIO, formatter: logging.Formatter) -> None:
    """Send all records of INFO and above to a stream, and nothing twice."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)


def log_event(logger: logging.Logger, event: str, fields: Fields) -> None:
    """Write what happened as one record."""
    if logger.isEnabledFor(logging.INFO):
        # PERF: `info` searches the stack for its caller, which no line shows: 4 of a line's 24 us.
        place = (logger.name, logging.INFO, "", 0)
        logger.handle(logger.makeRecord(*place, event, (), None, extra={FIELDS: fields}))


def log_fault(
    logger: logging.Logger, event: str, fields: Fields, error: BaseException | None = None
) -> None:
    """Write what went wrong as one record, with the traceback of an error where one is given."""
    # NOTE: the standard traceback shows source lines, never the values of locals.
    logger.error(event, extra={FIELDS: fields}, exc_info=error)
