"""One recorded line as it stands in a replay: what is sent, what was recorded, what we know."""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from tests.contract.body_text import as_the_reference_reads
from tests.contract.expected import Expected, Plain
from tests.contract.ledger import Flow, Ledger
from tests.contract.prediction import Predictor
from tests.contract.recording import Line
from tests.contract.routes import Route, Routes
from tests.contract.wire_client import Outgoing

BEARER = "bearer "


@frozen
class Limits:
    """The limits of the gateway that a replay runs against.

    `one_client` says that all callers of the in-flight scenario share one address, which makes
    them share one budget; otherwise each has its own, as recorded.
    """

    body_bytes: int = 262_144
    body_seconds: float = 15.0
    one_client: bool = False


@frozen
class Case:
    """A line with everything that the rules of the deviations look at.

    `lacking` is the deviation because of which the request names something that does not exist.
    """

    line: Line
    recorded: Expected
    sent: Outgoing
    routes: Routes
    ledger: Ledger
    limits: Limits
    client: str = ""
    lacking: str | None = None

    @property
    def route(self) -> Route | None:
        """The route that the request's path names, exactly."""
        return self.routes.at(self.sent.target)

    @property
    def ask(self) -> Mapping[str, Any]:
        """The request's JSON object as the reference reads it, empty where it is none."""
        value = as_the_reference_reads(self.sent.body)
        return value if isinstance(value, dict) else {}

    @property
    def plain(self) -> str | None:
        """The recorded plain text, None where an envelope was recorded."""
        return self.recorded.body.text if isinstance(self.recorded.body, Plain) else None

    @property
    def was_read(self) -> bool:
        """Tell whether the reference got as far as to read the body as JSON."""
        return self.plain is None or self.recorded.status == 500

    @property
    def was_valid(self) -> bool:
        """Tell whether the reference took the request as one of its schema."""
        return self.plain is None and not self.was_invalid

    @property
    def was_invalid(self) -> bool:
        """Tell whether the reference found that the request breaks its schema."""
        return self.recorded.envelope.get("code") == "invalid_request"

    @property
    def predictor(self) -> Predictor | None:
        """What tells the route's answers from the ledger."""
        return Predictor(self.ledger, self.route) if self.route else None

    @property
    def flow(self) -> Flow | None:
        """The flow that the request names, as we know it."""
        flow_id = self.ask.get("flowId", self.ask.get("token"))
        return self.ledger.find(self.route.owner, flow_id) if self.route else None

    @property
    def flow_id(self) -> str:
        """The id of that flow."""
        return str(self.ask.get("flowId", self.ask.get("token"))).strip()

    def header(self, name: str) -> str | None:
        """Give the first value that was sent for a header."""
        return next((v for k, v in self.sent.headers if k.lower() == name), None)

    @property
    def is_authenticated(self) -> bool:
        """Tell whether the secret is the route's, its bytes being UTF-8 or Latin-1."""
        secret = self.route.secret if self.route else None
        given = self._given_secret().encode("latin-1")
        return secret is not None and given in (secret.encode(), _as_latin1(secret))

    def _given_secret(self) -> str:
        authorization = (self.header("authorization") or "").strip()
        if authorization.lower().startswith(BEARER):
            return authorization[len(BEARER) :].strip()
        return (self.header("x-openclaw-webhook-secret") or "").strip()


def _as_latin1(text: str) -> bytes:
    return text.encode("latin-1", "backslashreplace")
