"""A wire without a gateway: it gives prepared answers, one request after the other."""

import json
import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence

from attrs import define, field

from tests.contract import recording, routes
from tests.contract.expected import JSON_TYPE, ON_EVERY_ANSWER
from tests.contract.outcomes import Deviated, Outcome, Report
from tests.contract.player import SWEEP, Options
from tests.contract.recording import Headers, Line
from tests.contract.replay import DATA, replay
from tests.contract.wire_client import Observed, Outgoing

REFERENCE = recording.read(DATA / "reference.jsonl")
ROUTES = routes.read(DATA / "gateway.json5")
SENTENCES = {
    "invalid_json": "invalid request body: byte 0: why",
    "unauthorized": "unauthorized",
    "route_not_found": "Not Found",
    "method_not_allowed": "Method Not Allowed",
    "unsupported_media_type": "Unsupported Media Type: why",
    "rate_limited": "Too Many Requests",
    "too_many_in_flight": "Too Many Requests",
}
AT_ONCE = Options(pauses={SWEEP: 0.0})


@define
class HeldOpen:
    """A request of a playback that is open."""

    steps: list[str]

    def finish(self) -> Observed:
        """Note it."""
        self.steps.append("finished")
        return Observed(200)

    def close(self) -> None:
        """Note it."""
        self.steps.append("closed")


@define
class Playback:
    """Gives prepared answers; `sent` and `steps` tell what it was asked."""

    answers: Iterator[Observed]
    sent: list[Outgoing] = field(factory=list)
    steps: list[str] = field(factory=list)

    def exchange(self, outgoing: Outgoing) -> Observed:
        """Give the next answer."""
        self.sent.append(outgoing)
        return next(self.answers)

    def hold(self, outgoing: Outgoing) -> HeldOpen:
        """Note that a request was opened."""
        self.sent.append(outgoing)
        self.steps.append("held")
        return HeldOpen(self.steps)


def lines_of(scenario: str) -> tuple[Line, ...]:
    """Give the recorded lines of one scenario."""
    return tuple(line for line in REFERENCE if line.scenario == scenario)


def line_named(name: str) -> Line:
    """Give one recorded line."""
    return next(line for line in REFERENCE if line.name == name)


def ours(status: int, body: object, **headers: str) -> Observed:
    """Make an answer of the kind that our gateway gives."""
    told = {**ON_EVERY_ANSWER, "content-type": JSON_TYPE}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Observed(status, tuple({**told, **named}.items()), json.dumps(body).encode())


def refused(status: int, code: str, route_id: str | None = None, **headers: str) -> Observed:
    """Make a refusal without a result."""
    route = {"routeId": route_id} if route_id else {}
    told = {"code": code, "error": SENTENCES.get(code, "No."), "result": {}}
    body = {"ok": False, **route, **told}
    return ours(status, body, **headers)


def reference_answers(lines: Iterable[Line]) -> Iterator[Observed]:
    """Give what the reference answered, with ids and times of now."""
    ids: dict[str, str] = {}
    for line in lines:
        for name in line.saves:
            if f"${{{name}}}" in line.response.body:
                ids[name] = str(uuid.uuid4())
        yield Observed(
            status=line.response.status,
            headers=_with_usual(line.response.headers),
            body=_filled(line.response.body, ids).encode("utf-8", "surrogatepass"),
        )


def _with_usual(headers: Headers) -> Headers:
    return tuple({**ON_EVERY_ANSWER, **dict(headers)}.items())


def _filled(text: str, ids: dict[str, str]) -> str:
    now = time.time_ns() // 1_000_000
    timed = text.replace('"${now+1d}"', str(now + 86_400_000)).replace('"${now}"', str(now))
    return re.sub(r"\$\{([^}]+)\}", lambda m: ids.setdefault(m[1], str(uuid.uuid4())), timed)


def play(lines: Sequence[Line], answers: Iterable[Observed]) -> Report:
    """Replay lines against prepared answers."""
    return replay(lines, Playback(iter(answers)), ROUTES, options=AT_ONCE)


def play_reference(
    scenario: str, changed: Callable[[Line, Observed], Observed] = lambda _, answer: answer
) -> Report:
    """Replay a scenario against the reference's own answers, some of them changed."""
    lines = lines_of(scenario)
    answers = zip(lines, reference_answers(lines), strict=True)
    return play(lines, (changed(line, answer) for line, answer in answers))


def outcome_of(name: str, *answers: Observed) -> Outcome:
    """Replay one line alone, and tell what became of it."""
    (outcome,) = play([line_named(name)], answers).outcomes
    return outcome


def kinds(report: Report) -> list[object]:
    """Tell of each outcome which deviation it is, or else of which kind."""
    return [
        outcome.deviation if isinstance(outcome, Deviated) else type(outcome)
        for outcome in report.outcomes
    ]
