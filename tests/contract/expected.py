"""The answers that we expect: envelopes with matchers where a value is free."""

import re
from collections.abc import Mapping

from attrs import evolve, field, frozen

from tests.contract import cut
from tests.contract.comparison import Maybe, Text, template_of
from tests.contract.recording import Line, Response

JSON_TYPE = "application/json; charset=utf-8"
ON_EVERY_ANSWER: Mapping[str, str] = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), microphone=(self), geolocation=()",
}
TRANSPORT = ("connection", "content-length", "date", "keep-alive", "transfer-encoding")
RETRY_AFTER: Mapping[str, object] = {"retry-after": Text(r"^[1-9]\d*$")}
ANY_TEXT = Text()
LOCATED = re.compile(r"(?P<field>\w+)[\w.\[\]]*: ")
KEY = re.compile(r'"([^"]*)"')


@frozen
class Plain:
    """A body that is a text, not an envelope."""

    text: str


@frozen
class Expected:
    """A whole answer; status None is a closed connection, seconds when it has to come."""

    status: int | None
    body: object
    headers: Mapping[str, object] = field(factory=dict)
    seconds: float | None = None

    @property
    def envelope(self) -> dict[str, object]:
        """The body's envelope, empty where the body is none."""
        begun = self.body.begun if isinstance(self.body, cut.Cut) else self.body
        return begun if isinstance(begun, dict) else {}

    def with_headers(self, headers: Mapping[str, object]) -> "Expected":
        """Expect these headers as well."""
        return evolve(self, headers={**self.headers, **headers})


def recorded(line: Line) -> Expected:
    """Expect what the reference answered, to the letter."""
    response = line.response
    return Expected(response.status, _body(response), _headers(response))


def _body(response: Response) -> object:
    if not response.body.startswith("{"):
        return Plain(response.body)
    return template_of(cut.parse(response.body))


def _headers(response: Response) -> dict[str, object]:
    kept = {k.lower(): v for k, v in response.headers if k.lower() not in TRANSPORT}
    return {**({} if response.status is None else ON_EVERY_ANSWER), **kept}


def success(route_id: str, result: object) -> Expected:
    """Expect 200 with a result."""
    body = {"ok": True, "routeId": route_id, "result": result}
    return Expected(200, body, {**ON_EVERY_ANSWER, "content-type": JSON_TYPE})


def refusal(
    status: int,
    code: str,
    *,
    route_id: str | Maybe | None = None,
    error: str | Text = ANY_TEXT,
    result: object = None,
) -> Expected:
    """Expect a refusal in our envelope; without a route id before authentication."""
    named = {} if route_id is None else {"routeId": route_id}
    told = {"code": code, "error": error, "result": {} if result is None else result}
    return Expected(
        status=status,
        body={"ok": False, **named, **told},
        headers={**ON_EVERY_ANSWER, "content-type": JSON_TYPE},
    )


def naming_what(error: object) -> Text:
    """Expect a text that names the field, or an unknown key, which the recorded one names."""
    text = error if isinstance(error, str) else ""
    located = LOCATED.match(text)
    if located:
        return named(located["field"])
    return named(*KEY.findall(text)) if text.startswith("Unrecognized key") else ANY_TEXT


def named(*names: str) -> Text:
    """Expect a text in which one of these names stands as a word."""
    return Text("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in names))
