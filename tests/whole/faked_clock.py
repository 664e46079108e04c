"""A gateway whose wall clock a test sets, by libfaketime."""

from __future__ import annotations

from pathlib import Path

from attrs import define

from tests.whole.gateway import RunningGateway


@define
class FakedClock:
    """The wall clock of a gateway, as far from the true one as a file says."""

    file: Path

    @classmethod
    def of(cls, gateway: RunningGateway) -> FakedClock:
        """Put a gateway that is yet to start under a clock of ours."""
        clock = cls(gateway.folder / "clock")
        (library,) = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
        gateway.environment = {
            **gateway.environment,
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(clock.file),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }
        return clock

    def set_off(self, seconds: int) -> None:
        """Set the clock so many seconds off, at once."""
        new = self.file.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n", encoding="ascii")
        new.replace(self.file)
