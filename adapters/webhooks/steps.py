"""What is left to do for an answer, where that is more than to send it; and who does it.

A server that answers in its I/O thread hands over a `LaterAnswer`. Under any other one, and in
tests, the thread that serves the request waits for it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Final, Protocol, TypeAlias, assert_never

from adapters.webhooks.responses import RawPieces, Response
from domain.application.batch import Submission
from domain.application.outcomes import Outcome
from domain.flow.lean_frozen import lean_frozen

LONG: Final = 64
"""How many flows or tasks an answer may have that the I/O thread makes."""

CommandResult: TypeAlias = Outcome | Exception
Submit: TypeAlias = Callable[[Submission, Callable[[CommandResult], None]], None]
"""Has a command carried out; what became of it is given to the callable, in some thread."""

MakeRaw: TypeAlias = Callable[[], RawPieces]


class LaterAnswer(Protocol):
    """An answer that is put off; one of its answering methods is called, once, in any thread."""

    def begin_soon(self, begin: Callable[[], None]) -> None:
        """Have the making of it begun in this thread, once all is read that callers have sent."""

    def answer(self, make: MakeRaw) -> None:
        """Have the answer made in the I/O thread, and sent."""

    def answer_aside(self, make: MakeRaw, *, urgent: bool = False) -> None:
        """Have the answer made in another thread; where the urgent ones wait for no others."""


@lean_frozen
class ReadStep:
    """An answer that may take long to make."""

    make: Callable[[], Response]
    is_urgent: bool = True


@lean_frozen
class CommandStep:
    """A command to be carried out, and how its result is shown."""

    submission: Submission
    show: Callable[[CommandResult], Response]


Step: TypeAlias = ReadStep | CommandStep


def do_now(step: Step, submit: Submit) -> Response:
    """Do what is left, and wait for it."""
    if isinstance(step, ReadStep):
        return step.make()
    results: SimpleQueue[CommandResult] = SimpleQueue()
    _hand_over(step.submission, submit, results.put)
    return step.show(results.get())


def put_off(
    step: Step,
    submit: Submit,
    later: LaterAnswer,
    finish: Callable[[Callable[[], Response]], RawPieces],
) -> None:
    """Have what is left done elsewhere; `finish` makes of it what is sent."""
    match step:
        case ReadStep(make, is_urgent):
            later.answer_aside(partial(finish, make), urgent=is_urgent)
        case CommandStep(submission, show):
            done = partial(_answer_change, later, finish, show)
            # PERF: what was sent at once is submitted at once, and written as one batch.
            later.begin_soon(partial(_hand_over, submission, submit, done))
        case _:
            assert_never(step)


def _hand_over(
    submission: Submission, submit: Submit, done: Callable[[CommandResult], None]
) -> None:
    try:
        submit(submission, done)
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer
        done(error)


def _answer_change(
    later: LaterAnswer,
    finish: Callable[[Callable[[], Response]], RawPieces],
    show: Callable[[CommandResult], Response],
    result: CommandResult,
) -> None:
    make = partial(finish, partial(show, result))
    if len(getattr(result, "tasks", ())) > LONG:
        later.answer_aside(make)
    else:
        later.answer(make)
