"""Plays a recording, line after line, and judges each answer."""

import time
from collections.abc import Iterator, Mapping
from typing import Protocol

from attrs import define, field, frozen

from tests.contract.bindings import Bindings
from tests.contract.case import Case, Limits
from tests.contract.comparison import Comparison
from tests.contract.deviations import Verdict, judge
from tests.contract.expected import recorded
from tests.contract.ledger import Ledger
from tests.contract.outcomes import AsRecorded, Deviated, Failed, NotReproducible, Outcome, PutOff
from tests.contract.recording import Line
from tests.contract.routes import Routes
from tests.contract.scenes import Repeats, Writer, fresh_clients, from_client, is_reproducible
from tests.contract.whole_answer import at, differences, names, read_json
from tests.contract.wire_client import Observed, Outgoing

HOLDERS = 8
SLACK_MS = 2_000
PATIENCE_SECONDS = 5.0
SWEEP = "lost-sweep/after-sweep"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class Held(Protocol):
    """A request that is open, its body unsent."""

    def finish(self) -> Observed:
        """Send the body and read the answer."""

    def close(self) -> None:
        """Hang up."""


class Wire(Protocol):
    """What carries requests to a gateway."""

    def exchange(self, outgoing: Outgoing) -> Observed:
        """Send one request and read its answer."""

    def hold(self, outgoing: Outgoing) -> Held:
        """Send the head of a request, and keep its body back."""


@frozen
class Options:
    """How a replay differs from the recording.

    `put_off` names lines that are not played; `pauses` gives, in seconds, how long to wait
    before a line; `one_client` is the address that all callers of in-flight share, where they do.
    """

    put_off: frozenset[str] = frozenset()
    pauses: Mapping[str, float] = field(factory=lambda: {SWEEP: 25.0})
    body_seconds: float = 15.0
    body_bytes: int = 262_144
    one_client: str | None = None


@define
class Player:
    """A replay under way."""

    wire: Wire
    routes: Routes
    options: Options
    repeats: Repeats
    bindings: Bindings = field(factory=Bindings)
    ledger: Ledger = field(factory=Ledger)
    held: list[Held] = field(factory=list)
    fresh: Iterator[str] = field(factory=fresh_clients)
    started_ms: int = field(factory=_now_ms)

    @property
    def writer(self) -> Writer:
        """What writes the requests."""
        return Writer(self.options.body_seconds, self.options.one_client)

    @property
    def limits(self) -> Limits:
        """The limits that the gateway is expected to have."""
        options = self.options
        return Limits(options.body_bytes, options.body_seconds, bool(options.one_client))

    def play(self, line: Line) -> Iterator[Outcome]:
        """Play one line, what lies before it included."""
        if line.name in self.options.put_off:
            yield PutOff(line)
        elif not is_reproducible(line):
            yield NotReproducible(line)
        else:
            yield from self._repeat(line)
            self._set_scene(line)
            yield self._play(line)

    def hang_up(self) -> None:
        """Close the requests that are open."""
        while self.held:
            self.held.pop().close()

    def _repeat(self, line: Line) -> Iterator[Failed]:
        """Repeat what a gap in `seq` stands for; before the first line of all, without a look."""
        before, count = self.repeats.get((line.scenario, line.seq), (line, 0))
        for _ in range(count):
            outcome = self._play(before)
            if before is not line and isinstance(outcome, Failed):
                yield outcome
                return

    def _set_scene(self, line: Line) -> None:
        if line.name in self.options.pauses:
            time.sleep(self.options.pauses[line.name])
            self.ledger.sweep(_now_ms())
        if line.scenario != "in-flight" or line.name == "in-flight/after-all-closed":
            self.hang_up()
            return
        if not self.held:
            self._hold(line)
        if line.name == "in-flight/after-one-finished":
            self.held.pop().finish()

    def _hold(self, line: Line) -> None:
        for _ in range(HOLDERS):
            client = self.options.one_client or next(self.fresh)
            outgoing = self.writer.outgoing(line, client, self.bindings, _now_ms())
            self.held.append(self.wire.hold(from_client(outgoing, client)))

    def _play(self, line: Line) -> Outcome:
        client = self.writer.client_of(line, self.fresh)
        case = self._case(line, client)
        self.bindings = self.bindings.forget(frozenset(line.saves) & names(case.recorded.body))
        verdict = judge(case, self.bindings)
        observed = self._exchange(case, verdict)
        outcome = self._outcome(case, verdict, observed)
        self._learn(case, outcome, observed)
        return outcome

    def _case(self, line: Line, client: str) -> Case:
        return Case(
            line=line,
            recorded=recorded(line),
            sent=self.writer.outgoing(line, client, self.bindings, _now_ms()),
            routes=self.routes,
            ledger=self.ledger,
            limits=self.limits,
            client=client,
            lacking=self.bindings.why_missing(_text(line)),
        )

    def _exchange(self, case: Case, verdict: Verdict) -> Observed:
        """Send a request; in a crowd, until the gateway has noticed who is there."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        is_crowded = case.line.scenario == "in-flight" and case.limits.one_client
        while True:
            observed = self.wire.exchange(case.sent)
            is_there = observed.status == verdict.expected.status
            if is_there or not is_crowded or time.monotonic() > deadline:
                return observed

    def _outcome(self, case: Case, verdict: Verdict, observed: Observed) -> Outcome:
        comparison = self._comparison()
        found = tuple(differences(comparison, verdict.expected, observed))
        if found:
            return Failed(
                line=case.line,
                deviation=verdict.deviation,
                sent=case.sent,
                expected=verdict.expected,
                observed=observed,
                differences=found,
            )
        is_same = verdict.is_follow_up and self._is_as_recorded(case, observed)
        self.bindings = self.bindings.bind(comparison.found)
        if verdict.deviation is None or is_same:
            return AsRecorded(case.line)
        return Deviated(case.line, verdict.deviation)

    def _is_as_recorded(self, case: Case, observed: Observed) -> bool:
        return not any(differences(self._comparison(), case.recorded, observed))

    def _comparison(self) -> Comparison:
        return Comparison(self.bindings, self.started_ms - SLACK_MS, _now_ms() + SLACK_MS)

    def _learn(self, case: Case, outcome: Outcome, observed: Observed) -> None:
        answer = read_json(observed.body)
        if case.route and isinstance(answer, dict):
            self.ledger.learn(case.route.owner, answer.get("result"))
        self._bind(case, outcome, answer)
        if isinstance(outcome, Deviated):
            self._note(case, outcome.deviation, answer)
        if case.recorded.status == 429 and case.route and case.line.scenario != "in-flight":
            self.ledger.limited.add((case.route.path, case.client))

    def _bind(self, case: Case, outcome: Outcome, answer: object) -> None:
        """Bind the names that a line saves, and note which have nothing to stand for."""
        saves = case.line.saves.items()
        shown = {name: at(answer, path) for name, path in saves}
        self.bindings = self.bindings.bind({k: v for k, v in shown.items() if isinstance(v, str)})
        if isinstance(outcome, Deviated):
            saved = {name for name, path in saves if at(case.recorded.envelope, path)}
            lost = {name for name in saved if not shown[name]}
            unbound = names(case.recorded.body) - self.bindings.ids.keys()
            self.bindings = self.bindings.miss(unbound | lost, outcome.deviation)

    def _note(self, case: Case, deviation: str, answer: object) -> None:
        """Remember what a deviation changes for the lines after it."""
        if deviation == "D1" and case.flow_id in self.ledger.flows:
            self.ledger.diverge(case.flow_id, deviation)
        has_created = at(case.recorded.envelope, "result.created") is True
        if has_created and not at(answer, "result.created") and case.route:
            self.ledger.disturbed.setdefault(case.route.owner, deviation)


def _text(line: Line) -> str:
    return f"{line.request.target} {line.request.body}"
