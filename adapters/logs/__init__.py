"""Structured logs: one line a record, for people or as JSON, safe from what callers put in them."""

from adapters.logs.lines import JsonFormatter, TextFormatter
from adapters.logs.setup import (
    LogFields,
    configure,
    dropped_lines,
    flush,
    log_event,
    log_fault,
    log_milestone,
)

__all__ = [
    "JsonFormatter",
    "LogFields",
    "TextFormatter",
    "configure",
    "dropped_lines",
    "flush",
    "log_event",
    "log_fault",
    "log_milestone",
]
