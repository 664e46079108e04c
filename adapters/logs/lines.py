"""How a log record becomes one line.

A record has an event (its message) and fields. No value can break out of its line: in text, a
value with anything but plain visible ASCII is written as a JSON string.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

FIELDS: Final = "taskflow_fields"
"""The attribute of a record that holds its fields."""

MILESTONE: Final = "taskflow_milestone"
"""The attribute of a record that says whether it is of the service itself, not of one request."""

_PLAIN: Final = re.compile(r"[!#-<>-~]+")
_PAIR: Final = f"{_PLAIN.pattern}={_PLAIN.pattern}"
_PLAIN_PAIRS: Final = re.compile(f"{_PAIR}(?: {_PAIR})*")
_ENCODER: Final = json.JSONEncoder(default=str)


class TextFormatter(logging.Formatter):
    """`2026-11-23T10:00:00.000Z INFO request status=200 route=zapier`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record; a traceback follows on lines of its own."""
        head = f"{_moment(record)} {record.levelname} {_one_line(record.getMessage())}"
        pairs = _pairs(_fields(record))
        line = f"{head} {pairs}" if pairs else head
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """`{"time": "...", "level": "INFO", "event": "request", "status": 200, "route": "zapier"}`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the JSON object of a record, a traceback being one of its fields."""
        line: dict[str, object] = {
            "time": _moment(record),
            "level": record.levelname,
            "event": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return _ENCODER.encode(line)


def _fields(record: logging.LogRecord) -> Mapping[str, object]:
    fields: Mapping[str, object] = getattr(record, FIELDS, {})
    return {name: value for name, value in fields.items() if value is not None}


def _pairs(fields: Mapping[str, object]) -> str:
    pairs = [f"{name}={value}" for name, value in fields.items()]
    line = " ".join(pairs)
    # PERF: nearly all values are plain, which one look at all of them shows.
    if _PLAIN_PAIRS.fullmatch(line) and line.count("=") == len(pairs):
        return line
    return " ".join([f"{name}={_text(str(value))}" for name, value in fields.items()])


def _text(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text)


def _one_line(text: str) -> str:
    return text if text.isprintable() else json.dumps(text)


def _moment(record: logging.LogRecord) -> str:
    return f"{_second(int(record.created))}.{int(record.msecs):03d}Z"


@lru_cache(maxsize=1)  # PERF: a busy gateway writes thousands of lines a second
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
