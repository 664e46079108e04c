"""Log lines go through a bounded queue: nobody waits for their reader, and what is lost is counted.

Real descriptors: pipes that are read, that are not, that nobody can read any more.
"""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.logs import TextFormatter, log_event, log_fault, log_milestone
from adapters.logs.queued import FLUSH_SECONDS, QueuedHandler
from domain.flow.refusals import RefusalCode

PATIENCE = 20.0
MANY = 20_000
"""More lines than the queue and a pipe hold."""


class Pipe:
    """A pipe, whose reading end takes what has come so far."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        self.text = ""

    def read_until(self, pattern: str) -> str:
        """Return all that has come once the pattern is in it."""
        os.set_blocking(self.reading, False)
        end = time.monotonic() + PATIENCE
        while not re.search(pattern, self.text):
            assert time.monotonic() < end, self.text[-2_000:]
            try:
                self.text += os.read(self.reading, 65_536).decode()
            except BlockingIOError:
                time.sleep(0.001)
        return self.text

    def close(self) -> None:
        """Close both ends."""
        os.close(self.reading)
        os.close(self.writing)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.close()


class Noting(TextFormatter):
    """A formatter that notes in which thread it is called."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: list[str] = []

    def format(self, record: logging.LogRecord) -> str:
        """Note the thread, and return the line of a record."""
        self.threads.append(threading.current_thread().name)
        return super().format(record)


@contextmanager
def logging_to(
    descriptor: int, formatter: logging.Formatter | None = None
) -> Iterator[logging.Logger]:
    handler = QueuedHandler(descriptor, formatter or TextFormatter())
    logger = logging.Logger("test")  # noqa: LOG001 - one that nobody else has
    logger.addHandler(handler)
    try:
        yield logger
    finally:
        handler.close()


def numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"INFO line number=(\d+)\n", text)]


def dropped(text: str) -> int:
    return sum(map(int, re.findall(r"WARNING log lines dropped lines=(\d+)\n", text)))


def log_lines(logger: logging.Logger, many: int, first: int = 0) -> None:
    for number in range(first, first + many):
        log_event(logger, "line", {"number": number})


def test_lines_are_written_whole_and_in_the_order_in_which_they_were_logged(pipe: Pipe) -> None:
    with logging_to(pipe.writing) as logger:
        log_lines(logger, 300)
        assert numbers(pipe.read_until("number=299\n")) == list(range(300))


def test_what_nobody_reads_is_dropped_counted_and_told_when_somebody_reads(pipe: Pipe) -> None:
    with logging_to(pipe.writing) as logger:
        log_lines(logger, MANY)
        found = numbers(pipe.read_until("log lines dropped"))
        assert found == list(range(len(found)))  # one stretch is missing, the newest
        assert found[-1] + 1 + dropped(pipe.text) == MANY
        log_lines(logger, 1, first=MANY)
        assert pipe.read_until(f"number={MANY}\n").endswith(f"INFO line number={MANY}\n")


def test_a_count_stands_where_the_lines_are_missing(pipe: Pipe) -> None:
    with logging_to(pipe.writing) as logger:
        log_lines(logger, MANY)
        while not pipe.text.endswith("\n") or len(numbers(pipe.text)) < 3_000:
            pipe.text += os.read(pipe.reading, 4_096).decode()
        log_lines(logger, 1, first=MANY)
        text = pipe.read_until(f"number={MANY}\n")
    assert re.search(rf"WARNING log lines dropped lines=\d+\n\S+ INFO line number={MANY}\n$", text)


def test_errors_and_milestones_find_room_where_a_request_does_not(pipe: Pipe) -> None:
    with logging_to(pipe.writing) as logger:
        log_lines(logger, MANY)
        log_fault(logger, "something is wrong", {})
        log_milestone(logger, "stopped", {})
        text = pipe.read_until("log lines dropped")
    assert "ERROR something is wrong\n" in text
    assert "INFO stopped\n" in text


def test_what_waits_is_bounded_by_its_size(pipe: Pipe) -> None:
    with logging_to(pipe.writing) as logger:
        for number in range(100):
            log_fault(logger, "x" * 1_000_000, {"number": number})
        text = pipe.read_until("log lines dropped")
    assert 90 < dropped(text) < 100


def test_the_end_does_not_wait_for_a_reader_that_does_not_read(pipe: Pipe) -> None:
    began = time.monotonic()
    with logging_to(pipe.writing) as logger:
        log_lines(logger, MANY)
        logged = time.monotonic()
    assert FLUSH_SECONDS <= time.monotonic() - logged < 5 * FLUSH_SECONDS
    assert logged - began < PATIENCE


def test_the_last_lines_are_written_before_the_end(pipe: Pipe) -> None:
    with logging_to(pipe.writing) as logger:
        log_lines(logger, 100)
    assert numbers(os.read(pipe.reading, 65_536).decode()) == list(range(100))


def test_what_cannot_be_written_is_counted_and_told_when_it_can_again(pipe: Pipe) -> None:
    gone = Pipe()
    descriptor = os.dup(gone.writing)
    gone.close()
    with logging_to(descriptor) as logger:
        log_lines(logger, 10)
        logger.handlers[0].flush()
        os.dup2(pipe.writing, descriptor)
        assert dropped(pipe.read_until("log lines dropped")) == 10
        (handler,) = logger.handlers
        assert isinstance(handler, QueuedHandler)
        assert handler.dropped == 10
    os.close(descriptor)


def test_a_descriptor_that_does_not_block_loses_nothing(pipe: Pipe) -> None:
    os.set_blocking(pipe.writing, False)
    with logging_to(pipe.writing) as logger:
        log_lines(logger, 4_000)
        assert numbers(pipe.read_until("number=3999\n")) == list(range(4_000))


def test_a_value_is_logged_as_it_was(pipe: Pipe) -> None:
    changing = [1]
    with logging_to(pipe.writing) as logger:
        log_lines(logger, 100)
        log_event(logger, "value", {"value": changing})
        logger.info(ValueError("no text"))
        logger.info("also %s", changing)
        changing.append(2)
        text = pipe.read_until("also")
    assert "value value=[1]\n" in text
    assert "INFO no text\n" in text
    assert text.endswith("also [1]\n")


@pytest.mark.parametrize("value", ["a", 1, 0.5, True, None, RefusalCode.NOT_FOUND])
def test_what_cannot_change_is_formatted_by_the_thread_that_writes(
    pipe: Pipe, value: object
) -> None:
    noting = Noting()
    with logging_to(pipe.writing, noting) as logger:
        log_event(logger, "value", {"value": value, "end": "end"})
        pipe.read_until("end=end")
    assert noting.threads == ["log"]


def test_a_record_that_cannot_be_formatted_harms_no_other(pipe: Pipe) -> None:
    with logging_to(pipe.writing) as logger:
        logger.info("%d", "no number")
        log_lines(logger, 1)
        assert dropped(pipe.read_until("number=0\n")) == 1


def test_many_threads_lose_nothing(pipe: Pipe) -> None:
    with logging_to(pipe.writing) as logger:
        threads = [
            threading.Thread(target=log_lines, args=(logger, 200, 200 * part)) for part in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        logger.info("end")
        assert sorted(numbers(pipe.read_until("end"))) == list(range(1_600))


def run(program: str, stderr: int) -> int:
    command = [sys.executable, "-c", program]
    return subprocess.run(  # noqa: S603 - our own program
        command, stderr=stderr, timeout=PATIENCE, check=False
    ).returncode


TORN = """
import resource, signal
from adapters.logs import TextFormatter, configure, log_event
import logging
log = configure(2, TextFormatter())
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (500, hard))
logger = logging.getLogger("test")
for number in range(20):
    log_event(logger, "line", {"number": number})
log.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
log_event(logger, "line", {"number": 20})
"""


def test_a_line_that_was_cut_off_does_not_spoil_the_next(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        assert run(TORN, file.fileno()) == 0
    text = (tmp_path / "log").read_text()
    found = numbers(text)
    assert found == [*range(len(found) - 1), 20]
    broken = [line for line in text.splitlines() if not re.fullmatch(r"[\d.:TZ-]{24} .*=\d+", line)]
    assert len(broken) <= 1
    assert not any("log lines dropped" in line for line in broken)
    assert len(found) - 1 + dropped(text) == 20


FAULTS = """
import threading, warnings
from adapters.logs import TextFormatter, configure
configure(2, TextFormatter())

def fail():
    raise ValueError("in a thread")

class Finalised:
    def __del__(self):
        raise ValueError("in a finaliser")

thread = threading.Thread(target=fail, name="worker")
thread.start()
thread.join()
Finalised()
warnings.warn("look out")
"""


def test_what_python_writes_to_standard_error_is_logged(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        assert run(FAULTS, file.fileno()) == 0
    text = (tmp_path / "log").read_text()
    events = re.findall(r"^\S+Z (WARNING|ERROR) (.*)$", text, re.MULTILINE)
    assert events[:2] == [
        ("ERROR", "a thread ended by a fault thread=worker"),
        ("ERROR", "a fault that nothing can catch"),
    ]
    assert events[2][1].endswith(r'UserWarning: look out\n  warnings.warn(\"look out\")\n"') or (
        "look out" in events[2][1]
    )
    assert text.count("Traceback") == 2


CRASHED = """
import logging
from adapters.composition.serve import run_service
from adapters.logs import log_event

def serve(_signals):
    for number in range(%d):
        log_event(logging.getLogger("test"), "line", {"number": number})
    raise ValueError("a crash")

run_service(False, serve)
"""


def test_a_crash_whose_log_nobody_reads_ends_the_process(pipe: Pipe) -> None:
    assert run(CRASHED % MANY, pipe.writing) == 1


def test_a_crash_leaves_all_lines_behind(pipe: Pipe) -> None:
    assert run(CRASHED % 100, pipe.writing) == 1
    text = pipe.read_until("ValueError: a crash\n")
    assert numbers(text) == list(range(100))
