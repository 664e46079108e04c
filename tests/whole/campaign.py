"""Thousands of attempts at a gateway, from several callers at once, each judged as it ends."""

from __future__ import annotations

import socket
import struct
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from attrs import define, field, frozen

from tests.whole.answers import Answer, NotAnAnswerError, envelope_fault, read_answers
from tests.whole.gateway import Place
from tests.whole.honest import received
from tests.whole.malformed import Attempt, Ending, draw
from tests.whole.reading import Reading, Rest, read

CALLERS = 12
PAUSE = 0.001
"""Seconds between two pieces, so that the gateway reads them one by one."""
HANG = 10.0
"""Seconds in which every connection must have ended; the gateway's own deadlines are one each."""
INTENDED = frozenset({501, 505})


@define
class Report:
    """What came of some attempts."""

    attempts: int = 0
    slowest: float = 0.0
    statuses: Counter[int] = field(factory=Counter)
    kinds: Counter[str] = field(factory=Counter)
    faults: list[str] = field(factory=list)
    answered: dict[str, int] = field(factory=dict)
    """The status of each answer, by its request's id."""
    asked_goals: set[str] = field(factory=set)
    """The goals of all flows that a request asked for, as the second reading has it."""

    def add(self, other: Report) -> None:
        """Take in another report."""
        self.attempts += other.attempts
        self.slowest = max(self.slowest, other.slowest)
        self.statuses += other.statuses
        self.kinds += other.kinds
        self.faults += other.faults
        self.answered |= other.answered
        self.asked_goals |= other.asked_goals

    def __str__(self) -> str:
        """Say it in a line."""
        statuses = ", ".join(
            f"{count} x {status}" for status, count in sorted(self.statuses.items())
        )
        return f"{self.attempts} attempts, the slowest {self.slowest:.1f} s: {statuses}"


def run(place: Place, numbers: Sequence[int]) -> Report:
    """Make the attempts of these numbers, shared among the callers."""
    shares = [numbers[caller::CALLERS] for caller in range(CALLERS)]
    whole = Report()
    with ThreadPoolExecutor(CALLERS) as callers:
        for report in callers.map(lambda share: _run_share(place, share), shares):
            whole.add(report)
    return whole


def _run_share(place: Place, numbers: Sequence[int]) -> Report:
    report = Report()
    for number in numbers:
        _make(place, draw(number), report)
    return report


def _make(place: Place, attempt: Attempt, report: Report) -> None:
    began = time.monotonic()
    reading = read(attempt.data)
    report.asked_goals |= set(reading.goals())
    try:
        answers = read_answers(_sent(place, attempt))
    except (OSError, NotAnAnswerError) as error:
        answers = []
        report.faults.append(_told(attempt, repr(error)))
    else:
        report.faults += (_told(attempt, fault) for fault in judge(attempt, reading, answers))
    report.attempts += 1
    report.kinds[attempt.kind] += 1
    report.statuses.update(answer.status for answer in answers)
    report.answered |= {answer.request_id: answer.status for answer in answers}
    report.slowest = max(report.slowest, time.monotonic() - began)


def _told(attempt: Attempt, fault: str) -> str:
    data = attempt.data
    shown = data if len(data) < 1_000 else data[:500] + b" ... " + data[-500:]
    return f"{fault}: attempt {attempt.number} ({attempt.kind}, {attempt.ending.name}) {shown!r}"


def _sent(place: Place, attempt: Attempt) -> bytes:
    """Send an attempt and return what came back; raises OSError, also where nothing ends it."""
    with socket.create_connection((place.host, place.port), HANG) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in attempt.pieces:
            sock.sendall(piece)
            time.sleep(PAUSE if len(attempt.pieces) > 1 else 0)
        match attempt.ending:
            case Ending.RESET:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return b""
            case Ending.HALF_CLOSE:
                sock.shutdown(socket.SHUT_WR)
            case Ending.WAIT:
                pass
        return received(sock)


@frozen
class Bounds:
    """How many answers are right."""

    least: int
    most: int


def judge(attempt: Attempt, reading: Reading, answers: Sequence[Answer]) -> Iterator[str]:
    """Say what is wrong with the answers to an attempt."""
    for answer in answers:
        fault = envelope_fault(answer)
        if fault:
            yield f"{fault} in an answer of {answer.status}"
        if answer.status >= 500 and answer.status not in INTENDED:
            yield f"an answer of {answer.status}"
    bounds = _bounds(attempt, reading, answers)
    if not bounds.least <= len(answers) <= bounds.most:
        yield f"{len(answers)} answers instead of {bounds.least} to {bounds.most}"
    if attempt.is_honest and [answer.status for answer in answers] != [200]:
        yield "an honest caller was not served"


def _bounds(attempt: Attempt, reading: Reading, answers: Sequence[Answer]) -> Bounds:
    """Bound the number of answers by the second reading.

    Every whole request has one, until one of them closes the connection. What lies behind them has
    none if it is incomplete and its time has not come, and one if it is refused.
    """
    whole = len(reading.bodies)
    most = whole + (reading.rest is not Rest.NOTHING)
    if attempt.ending is Ending.RESET:
        return Bounds(0, 0)
    if any(answer.closes for answer in answers):
        return Bounds(1, most)
    return Bounds(whole + (reading.rest is Rest.MALFORMED), most)
