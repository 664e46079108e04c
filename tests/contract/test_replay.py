"""The recorded contract holds: each line as recorded, or as a deviation on the list."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import field, frozen

from tests.contract import recording, routes
from tests.contract.outcomes import PutOff, Report
from tests.contract.player import SWEEP, Options
from tests.contract.recording import Line
from tests.contract.replay import DATA, replay
from tests.contract.wire_client import Address, Observed, Outgoing, Wire
from tests.documented import undocumented
from tests.whole.gateway import RunningGateway

LINES = recording.read(DATA / "reference.jsonl")
SLOW = frozenset({"slow-body/stall", "slow-body/drip"})
SWEPT = frozenset({SWEEP, "lost-sweep/after-sweep-summary", "lost-sweep/cancel-again"})

WAITING = SLOW | SWEPT
"""Lines that wait for a deadline; they are played against a gateway that is more hasty."""


def test_each_recorded_line_is_answered_as_recorded_or_as_a_listed_deviation(
    tmp_path: Path,
) -> None:
    report = report_of(LINES, RunningGateway.of_contract(tmp_path), Options(put_off=WAITING))
    assert report.failures == []
    assert frozenset(report.names(PutOff)) == WAITING


def test_the_recorded_lines_that_wait_are_answered_so_too(tmp_path: Path) -> None:
    hasty: Mapping[str, object] = {"limits": {"bodySeconds": 1}, "children": {"sweepSeconds": 0.2}}
    scenarios = {line.scenario for line in LINES if line.name in WAITING}
    options = Options(pauses={SWEEP: 1.0}, body_seconds=1.0)
    report = report_of(
        [line for line in LINES if line.scenario in scenarios],
        RunningGateway.of_contract(tmp_path, hasty),
        options,
    )
    assert report.failures == []
    assert report.names(PutOff) == []


def test_callers_from_one_address_share_its_open_requests(tmp_path: Path) -> None:
    report = report_of(
        [line for line in LINES if line.scenario == "in-flight"],
        RunningGateway.of_contract(tmp_path),
        Options(one_client="192.0.2.99"),
    )
    assert (report.failures, report.deviating("D7")) == ([], [])


@frozen
class DocumentedWire(Wire):
    """A wire on which each answer is held against the OpenAPI document."""

    faults: list[str] = field(factory=list)

    def exchange(self, outgoing: Outgoing) -> Observed:
        """Send one request, read its answer, and keep what is not documented of it."""
        got = super().exchange(outgoing)
        if got.status is not None:
            path = outgoing.target.partition("?")[0]
            fault = undocumented(outgoing.method, path, got.status, got.headers, got.body)
            self.faults.extend([fault] if fault else [])
        return got


def report_of(lines: Sequence[Line], gateway: RunningGateway, options: Options) -> Report:
    """Replay lines against a gateway of their own, and show the table."""
    with gateway:
        wire = DocumentedWire(Address(gateway.place.host, gateway.place.port))
        report = replay(lines, wire, routes.read(gateway.config), options=options)
    assert wire.faults == []
    print(report)  # noqa: T201 - the table is what these tests show
    return report
