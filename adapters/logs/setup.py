"""Where log records go, and how the rooms write them."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Mapping
from typing import Final, TypeAlias

from adapters.logs.lines import FIELDS, MILESTONE
from adapters.logs.queued import QueuedHandler

_LOG: Final = logging.getLogger("taskflow")

_RECORD: Final = vars(logging.makeLogRecord({"levelno": logging.INFO, "levelname": "INFO"}))
"""What all records of an event have in common."""

LogFields: TypeAlias = Mapping[str, object]
"""The named values of a record; None is left out."""


def configure(descriptor: int, formatter: logging.Formatter) -> logging.Handler:
    """Send all records of INFO and above to a descriptor, and nothing twice.

    What Python itself would write to standard error, and wait for its reader, is a record too:
    warnings, and exceptions that nobody catches in a thread or a finaliser.
    """
    handler = QueuedHandler(descriptor, formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    # PERF: no line shows them, and they are 1.5 of the 5 us that a record takes.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    threading.excepthook = _log_end_of_thread
    sys.unraisablehook = _log_unraisable
    return handler


def flush() -> None:
    """Wait until what was logged so far is written, but no longer than a second."""
    for handler in logging.getLogger().handlers:
        handler.flush()


def dropped_lines() -> int:
    """Return how many lines were dropped so far."""
    handlers = logging.getLogger().handlers
    return sum(each.dropped for each in handlers if isinstance(each, QueuedHandler))


def _log_end_of_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_type is not SystemExit:
        name = args.thread.name if args.thread else None
        log_fault(_LOG, "a thread ended by a fault", {"thread": name}, args.exc_value)


def _log_unraisable(args: sys.UnraisableHookArgs) -> None:
    log_fault(_LOG, "a fault that nothing can catch", {"reason": args.err_msg}, args.exc_value)


def log_milestone(logger: logging.Logger, event: str, fields: LogFields) -> None:
    """Write what happened to the service itself: a full queue still has room for it."""
    logger.info(event, extra={FIELDS: fields, MILESTONE: True})


def log_event(logger: logging.Logger, event: str, fields: LogFields) -> None:
    """Write what happened as one record; the fields are not changed any more."""
    if logger.isEnabledFor(logging.INFO):
        # PERF: `info` looks for its caller, and a new record at much else that no line shows.
        record, now = logging.LogRecord.__new__(logging.LogRecord), time.time()
        own = {"name": logger.name, "msg": event, "created": now, "msecs": now % 1 * 1000 // 1}
        record.__dict__ = {**_RECORD, **own, FIELDS: fields}
        logger.handle(record)


def log_fault(
    logger: logging.Logger, event: str, fields: LogFields, error: BaseException | None = None
) -> None:
    """Write what went wrong as one record, with the traceback of an error where one is given."""
    # NOTE: the standard traceback shows source lines, never the values of locals.
    logger.error(event, extra={FIELDS: fields}, exc_info=error)
