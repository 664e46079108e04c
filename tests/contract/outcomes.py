"""What became of a line, and the report of a whole replay."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from attrs import frozen

from tests.contract.comparison import Difference
from tests.contract.expected import Expected
from tests.contract.recording import Line
from tests.contract.wire_client import Observed, Outgoing

LISTING = textwrap.TextWrapper(
    width=116, initial_indent=" " * 8, subsequent_indent=" " * 8, break_on_hyphens=False
)
SHOWN = 1200
ORDER = ("D1", "D2", "D3", "D3b", *(f"D{number}" for number in range(4, 18)))


@frozen
class AsRecorded:
    """Our answer is the reference's."""

    line: Line


@frozen
class Deviated:
    """Our answer is the one that a deviation asks for."""

    line: Line
    deviation: str


@frozen
class PutOff:
    """The line was not played, because the caller of the replay said so."""

    line: Line


@frozen
class NotReproducible:
    """The line was not played, because the recording does not say enough about it."""

    line: Line


@frozen
class Failed:
    """Our answer is neither the recorded one nor the one that a deviation asks for."""

    line: Line
    deviation: str | None
    sent: Outgoing
    expected: Expected
    observed: Observed
    differences: tuple[Difference, ...]

    def __str__(self) -> str:
        under = f" ({self.deviation})" if self.deviation else ""
        body = self.sent.body.decode("utf-8", "backslashreplace")
        return "\n".join(
            [
                f"{self.line.name}{under}",
                f"  > {self.sent.method} {self.sent.target}  {_short(body)}",
                f"  expected {self.expected.status} {_short(str(self.expected.body))}",
                f"  got      {self.observed.status} {_short(_told(self.observed))}",
                *(f"  - {_short(str(difference))}" for difference in self.differences),
            ]
        )


Outcome: TypeAlias = AsRecorded | Deviated | PutOff | NotReproducible | Failed


def _told(observed: Observed) -> str:
    return observed.trouble or observed.body.decode("utf-8", "backslashreplace")


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}... ({len(text)} characters)"


@frozen
class Report:
    """The outcomes of a replay, in the order of the recording."""

    outcomes: Sequence[Outcome]

    @property
    def failures(self) -> list[Failed]:
        """Give the lines that differ without leave."""
        return [outcome for outcome in self.outcomes if isinstance(outcome, Failed)]

    def names(self, kind: type[Outcome]) -> list[str]:
        """Give the names of the lines of one kind."""
        return [outcome.line.name for outcome in self.outcomes if isinstance(outcome, kind)]

    def deviating(self, deviation: str) -> list[str]:
        """Give the names of the lines that took a deviation."""
        found = (outcome for outcome in self.outcomes if isinstance(outcome, Deviated))
        return [outcome.line.name for outcome in found if outcome.deviation == deviation]

    def __str__(self) -> str:
        return "\n".join([*self._table(), *self._diffs()])

    def _table(self) -> Iterator[str]:
        yield f"{len(self.outcomes):5} lines"
        yield f"{len(self.names(AsRecorded)):5} as recorded"
        for deviation in ORDER:
            yield from _row(deviation, self.deviating(deviation))
        yield from _row("put off", self.names(PutOff))
        yield from _row("not reproducible", self.names(NotReproducible))
        yield f"{len(self.failures):5} differ without leave"

    def _diffs(self) -> Iterator[str]:
        for failure in self.failures:
            yield f"\n{failure}"


def _row(title: str, names: list[str]) -> Iterator[str]:
    if names:
        yield f"{len(names):5} {title}"
        yield from LISTING.wrap(", ".join(names))
