"""An answer that is put off: made later, and written by the I/O thread.

The application asks for a `Completion` by `environ["taskflow.later"]()`; what it then returns is
ignored. The request counts as in work until its answer is written, or its caller has left.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

from attrs import frozen

from adapters.server.ports import MakeResponse, PiecewiseResponse


class PutOff(Protocol):
    """A request whose answer is put off."""

    def begin_soon(self, begin: Callable[[], None]) -> None:
        """Have something done later in this turn of the loop; only for the I/O thread."""

    def answer_later(self, make: MakeResponse) -> None:
        """Make the answer in the I/O thread, and write it; any thread may call this, once."""

    def begin_aside(self, job: AsideJob, *, urgent: bool) -> None:
        """Have a worker do a job; the urgent ones have a worker of their own."""


@frozen
class Completion:
    """The handle to an answer that is put off."""

    _request: PutOff

    def begin_soon(self, begin: Callable[[], None]) -> None:
        """Have the making of the answer begun once what has come by now is read: only in the loop.

        So what callers sent at once can be taken up at once.
        """
        self._request.begin_soon(begin)

    def answer(self, make: MakeResponse) -> None:
        """Have the answer made and written in the I/O thread; any thread may call this, once.

        `make` is called whether or not the caller has left; a fault of it is answered 500.
        """
        self._request.answer_later(make)

    def answer_aside(self, make: MakeResponse, *, urgent: bool = False) -> None:
        """Have the answer made by a worker, as that takes long; any thread may call this, once."""
        self._request.begin_aside(AsideJob(make, self.answer), urgent=urgent)


@frozen(eq=False)
class AsideJob:
    """A response that a worker makes, by the names that waitress' dispatcher looks for."""

    make: MakeResponse
    answer: Callable[[MakeResponse], None]

    def service(self) -> None:
        """Make the response; its fault is the I/O thread's to answer."""
        made: Future[PiecewiseResponse] = Future()
        try:
            made.set_result(self.make())
        except BaseException as fault:  # noqa: BLE001 - raised again in the I/O thread
            made.set_exception(fault)
        self.answer(made.result)

    def cancel(self) -> None:
        """Do nothing: the channel was closed before, and its permit released."""
