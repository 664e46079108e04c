"""Where our answer differs from the recorded one on purpose: one rule a deviation, in a table.

A rule looks at one line and gives the answer that we have to give instead, or None where it
does not apply. The first rule that applies is the only one; without one, the recorded answer
is expected to the letter. The numbers are those of the contract's list of deviations.
"""

import re
from collections.abc import Callable, Mapping

from attrs import evolve, frozen

from tests.contract.bindings import Bindings
from tests.contract.body_text import is_ambiguous
from tests.contract.case import Case
from tests.contract.comparison import Maybe, Text
from tests.contract.expected import ANY_TEXT, RETRY_AFTER, Expected, named, naming_what, refusal
from tests.contract.json_structure import depth
from tests.contract.prediction import PAGE, REVISIONED
from tests.contract.restoring import MAGIC_KEY, Restoring

MAX_DEPTH = 128
ALLOW: Mapping[str, object] = {"allow": "POST"}
METHODS_OF_THE_REFERENCE = (
    *("DELETE", "GET", "HEAD", "POST", "PUT", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"),
    *("ACL", "BIND", "CHECKOUT", "COPY", "LINK", "LOCK", "M-SEARCH", "MERGE", "MKACTIVITY"),
    *("MKCALENDAR", "MKCOL", "MOVE", "NOTIFY", "PROPFIND", "PROPPATCH", "PURGE", "REBIND"),
    *("REPORT", "SEARCH", "SOURCE", "SUBSCRIBE", "UNBIND", "UNLINK", "UNLOCK", "UNSUBSCRIBE"),
)
STATUSES = ("queued", "running", "waiting", "blocked", "succeeded", "failed", "cancelled")


@frozen
class Verdict:
    """The answer that we expect, and the deviation that it is; None for as recorded.

    A follow-up of an earlier deviation need not differ: it counts only where it does.
    """

    deviation: str | None
    expected: Expected
    is_follow_up: bool = False


def judge(case: Case, bindings: Bindings) -> Verdict:
    """Say what is expected of us for a line."""
    for deviation, rule in RULES:
        expected = rule(case)
        if expected:
            return Verdict(deviation, expected)
    return _followed_up(case) or _restored(case, bindings) or Verdict(*_enveloped(case))


def _oversize(case: Case) -> Expected | None:
    length = case.sent.declared if case.sent.declared is not None else len(case.sent.body)
    if length <= case.limits.body_bytes:
        return None
    return refusal(413, "payload_too_large", route_id=_perhaps(case))


def _oversize_dropped(case: Case) -> Expected | None:
    return _oversize(case) if case.recorded.status is None else None


def _oversize_refused_otherwise(case: Case) -> Expected | None:
    return _oversize(case) if case.recorded.status not in (None, 413) else None


def _slow(case: Case) -> Expected | None:
    if case.recorded.status is not None:
        return None
    expected = refusal(408, "request_timeout", route_id=_perhaps(case))
    return evolve(expected, seconds=case.limits.body_seconds)


def _perhaps(case: Case) -> Maybe | None:
    """Allow a route id where it depends on the server's parts whether the route is known yet."""
    return Maybe(case.route.route_id) if case.route else None


def _unknown_method(case: Case) -> Expected | None:
    if case.recorded.status != 400 or case.plain != "":
        return None
    if case.sent.method in METHODS_OF_THE_REFERENCE:
        return None
    return refusal(405, "method_not_allowed").with_headers(ALLOW) if case.route else NO_ROUTE


def _unresolvable_secret(case: Case) -> Expected | None:
    is_broken = case.route is not None and case.route.secret is None
    return NO_ROUTE if is_broken and case.recorded.status != 404 else None


def _roundabout_path(case: Case) -> Expected | None:
    return NO_ROUTE if case.route is None and case.recorded.status != 404 else None


def _shared_rate(case: Case) -> Expected | None:
    """A trailing slash has no budget of its own."""
    if case.route is None or case.recorded.status in (404, 405, 429):
        return None
    if case.sent.target.partition("?")[0] == case.route.path:
        return None
    if (case.route.path, case.client) not in case.ledger.limited:
        return None
    return refusal(429, "rate_limited").with_headers(RETRY_AFTER)


def _in_flight_by_client(case: Case) -> Expected | None:
    """Eight open requests of eight other callers are not this caller's."""
    if case.line.scenario != "in-flight" or case.recorded.status != 429:
        return None
    if case.limits.one_client:
        return None
    return _unhindered(case) if case.is_authenticated else refusal(401, "unauthorized")


def _secret_in_utf8(case: Case) -> Expected | None:
    if case.recorded.status != 401 or case.route is None or (case.route.secret or "").isascii():
        return None
    return _unhindered(case) if case.is_authenticated else None


def _unhindered(case: Case) -> Expected | None:
    return case.predictor.answer(case.ask) if case.predictor else None


def _encoded_body(case: Case) -> Expected | None:
    encoding = (case.header("content-encoding") or "identity").strip().lower()
    if encoding == "identity" or case.recorded.status in (404, 405, 415, 429):
        return None
    return refusal(415, "unsupported_media_type")


def _ambiguous_body(case: Case) -> Expected | None:
    return _invalid_json(case) if case.was_read and is_ambiguous(case.sent.body) else None


def _deep_body(case: Case) -> Expected | None:
    is_deep = depth(case.sent.body.decode(errors="replace")) > MAX_DEPTH
    return _invalid_json(case) if case.was_read and is_deep else None


def _invalid_json(case: Case) -> Expected:
    return refusal(400, "invalid_json", route_id=case.route.route_id if case.route else None)


def _magic_key(case: Case) -> Expected | None:
    return _invalid(case, MAGIC_KEY) if case.was_valid and MAGIC_KEY in case.ask else None


def _paged_list(case: Case) -> Expected | None:
    """Fields of a page. A list also ends at 8 MiB with a cursor, which no recorded one reaches."""
    extra = case.ask.keys() - {"action"}
    if not case.was_invalid or case.ask.get("action") != "list_flows" or not extra:
        return None
    if not extra <= {"limit", "cursor", "status"} or case.predictor is None:
        return None
    wrong = [name for name in extra if not _is_page_field(name, case.ask[name])]
    return _invalid(case, *wrong) if wrong else case.predictor.page(case.ask)


def _is_page_field(name: str, value: object) -> bool:
    """Tell whether a page's field is valid; no cursor of a recording is one of ours."""
    match name:
        case "limit":
            return isinstance(value, int) and value is not True and 1 <= value <= PAGE
        case "status":
            return value in STATUSES
        case _:
            return False


def _invalid(case: Case, *names: str) -> Expected:
    route_id = case.route.route_id if case.route else None
    return refusal(400, "invalid_request", route_id=route_id, error=named(*names))


def _ended_for_ever(case: Case) -> Expected | None:
    """A mutation that the reference applied to a flow that has ended here."""
    is_mutation = case.ask.get("action") in REVISIONED
    if not (case.was_valid and is_mutation and case.recorded.status == 200):
        return None
    return _unhindered(case) if case.flow and case.flow.is_terminal else None


def _followed_up(case: Case) -> Verdict | None:
    """A line that can only differ because an earlier one was a deviation."""
    why = _earlier_deviation(case)
    if why is None or not case.was_valid or case.predictor is None:
        return None
    expected = case.predictor.answer(case.ask)
    return Verdict(why, expected, is_follow_up=True) if expected else None


def _earlier_deviation(case: Case) -> str | None:
    if case.lacking or case.flow_id in case.ledger.diverged:
        return case.lacking or case.ledger.diverged[case.flow_id]
    is_about_all = case.ask.get("action") in ("list_flows", "find_latest_flow", "resolve_flow")
    return case.ledger.disturbed.get(case.route.owner) if case.route and is_about_all else None


def _restored(case: Case, bindings: Bindings) -> Verdict | None:
    if case.plain is not None:
        return None
    restoring = Restoring(case.ask, case.ledger, bindings)
    body = restoring.restored(case.recorded.body)
    return Verdict(restoring.why, evolve(case.recorded, body=body)) if restoring.why else None


def _enveloped(case: Case) -> tuple[str | None, Expected]:
    """Put what was plain text into the envelope, and complete `invalid_request` (D2)."""
    if case.was_invalid:
        error = naming_what(case.recorded.envelope["error"])
        return "D2", _as_refusal(case, "invalid_request", error)
    code = _code(case)
    if code is None:
        return None, case.recorded
    return "D2", _as_refusal(case, code, _error(code, case.plain))


def _error(code: str, recorded: str | None) -> str | Text:
    """Expect the recorded text, which goes on to say why where it said nothing of that."""
    if not recorded:
        return ANY_TEXT
    return Text(rf"^{re.escape(recorded)}: \S") if code in REASONED else recorded


def _as_refusal(case: Case, code: str, error: str | Text) -> Expected:
    route_id = case.route.route_id if case.route and code in AFTER_AUTHENTICATION else None
    kept = {k: v for k, v in case.recorded.headers.items() if k != "content-type"}
    refused = refusal(case.recorded.status or 0, code, route_id=route_id, error=error)
    return refused.with_headers({**kept, **(RETRY_AFTER if code in LIMITED else {})})


def _code(case: Case) -> str | None:
    """Give the code that stands for a recorded plain text, None where there is none to give."""
    if case.plain is None or case.sent.method == "HEAD":
        return None
    match case.recorded.status:
        case 400:
            return "invalid_json" if case.plain else "bad_request"
        case 429 if case.line.scenario == "in-flight":
            return "too_many_in_flight"
        case status:
            return CODES.get(status or 0)


REASONED = ("invalid_json", "unsupported_media_type")
AFTER_AUTHENTICATION = ("invalid_json", "invalid_request")
LIMITED = ("rate_limited", "too_many_in_flight")
CODES: Mapping[int, str] = {
    401: "unauthorized",
    404: "route_not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "payload_too_large",
    415: "unsupported_media_type",
    429: "rate_limited",
    431: "headers_too_large",
    500: "internal_error",
}
NO_ROUTE = refusal(404, "route_not_found")

RULES: tuple[tuple[str, Callable[[Case], Expected | None]], ...] = (
    ("D3", _oversize_dropped),
    ("D3b", _oversize_refused_otherwise),
    ("D3", _slow),
    ("D16", _unknown_method),
    ("D10", _unresolvable_secret),
    ("D6", _roundabout_path),
    ("D7", _shared_rate),
    ("D7", _in_flight_by_client),
    ("D13", _secret_in_utf8),
    ("D4", _encoded_body),
    ("D5", _deep_body),
    ("D4", _ambiguous_body),
    ("D16", _magic_key),
    ("D9", _paged_list),
    ("D1", _ended_for_ever),
)
