"""What a service does on each signal.

A handler may run between any two steps of the main thread, so it takes no lock and logs nothing:
it notes the signal, and begins the stop if that is what it asks for. The rest is done in the
server's loop, by `actions`, at most a few times a second however many signals arrive.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Final, TypeAlias

from attrs import define, field

from adapters.composition.clock_and_ids import LOG
from adapters.composition.service_manager import notify
from adapters.logs import log_milestone
from adapters.server import HttpServer

SignalAction: TypeAlias = Callable[[str, int], None]
"""Takes the name of a signal, and how often it came since the last time."""

STOPS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


def _stopping(name: str, times: int) -> None:
    notify("STOPPING=1")
    log_milestone(LOG, "stopping", {"signal": name, "times": times})


def _ignored(name: str, times: int) -> None:
    log_milestone(LOG, "signal ignored", {"signal": name, "times": times})


_FURTHER: Final = ("HUP", "USR1", "USR2", "ALRM", "VTALRM", "PROF", "IO", "PWR", "STKFLT")
_REAL_TIME: Final = range(getattr(signal, "SIGRTMIN", 0), getattr(signal, "SIGRTMAX", -1) + 1)
IGNORED: Final = (
    *(getattr(signal, f"SIG{name}") for name in _FURTHER if hasattr(signal, f"SIG{name}")),
    *_REAL_TIME,
)
"""What would end the process, and is neither its own fault nor a way to end it at once."""

ACTIONS: Final[Mapping[int, SignalAction]] = {
    **dict.fromkeys(STOPS, _stopping),
    **dict.fromkeys(IGNORED, _ignored),
}


class StoppedAtStartError(BaseException):
    """A service is asked to stop before it listens."""


@define
class Signals:
    """The signals of this process, from `install` to its end."""

    actions: dict[int, SignalAction] = field(factory=lambda: dict(ACTIONS))
    _noted: dict[int, int] = field(factory=dict, init=False)
    _server: HttpServer | None = field(default=None, init=False)
    _stopping: bool = field(default=False, init=False)

    def install(self) -> None:
        """Handle every signal of `actions`, but for those that somebody has decided on already.

        NOTE: `nohup` starts a program with SIGHUP ignored, and it stays so.
        """
        for number in self.actions:
            if number in STOPS or signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, self._note)

    def serve(self, server: HttpServer, each_tick: Callable[[], None]) -> bool:
        """Run a server until it is asked to stop; True if every accepted request was answered."""

        def tick() -> None:
            self._act()
            each_tick()

        self._server = server
        if self._stopping:
            server.stop()
        drained = server.run(tick)
        self._act()
        return drained

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._noted[number] = self._noted.get(number, 0) + 1
        if number not in STOPS:
            return
        again, self._stopping = self._stopping, True
        if self._server is not None:
            self._server.stop()
            if again and number == signal.SIGINT:
                self._server.cut_short()
        elif not again:
            raise KeyboardInterrupt if number == signal.SIGINT else StoppedAtStartError

    def _act(self) -> None:
        noted, self._noted = self._noted, {}
        for number, times in noted.items():
            self.actions[number](_name(number), times)


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIGRTMIN+{number - _REAL_TIME.start}"
