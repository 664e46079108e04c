"""Whatever we have beyond the recorded contract is declared, and all that is declared is there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from typing import Any

from attrs import define, field

from adapters.presentation.answer_codes import ANSWER_CODES
from adapters.webhooks.actions import ACTIONS
from adapters.webhooks.openapi.document import HEADERS, ROUTE
from tests.contract import additions, recording
from tests.contract.body_text import as_the_reference_reads
from tests.documented import DOCUMENT
from tests.whole.gateway import CONTRACT

SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
VIEWS = {
    **dict.fromkeys(("flow", "flows", "current"), "Flow"),
    **dict.fromkeys(("task", "tasks"), "Task"),
    "summary": "TaskSummary",
}
"""Which view a member of a result has, or several of."""
ENVELOPES = ("Success", "Skipped")


@define
class Recorded:
    """The names that stand in the recording: of fields by their action, of members, and so on."""

    fields: Mapping[str, set[str]] = field(factory=lambda: defaultdict(set))
    shown: Mapping[str, set[str]] = field(factory=lambda: defaultdict(set))
    codes: set[str] = field(factory=set)
    headers: set[str] = field(factory=set)

    def add(self, line: recording.Line) -> None:
        """Take the names of an exchange; a request that was refused as such has none."""
        self.headers |= {name.lower() for name, _ in line.response.headers}
        answer = _object(line.response.body.encode())
        self.codes |= {answer["code"]} if "code" in answer else set()
        body = line.request.body
        sent = body.text.encode() if isinstance(body, recording.TextBody) else body.content
        asked = _object(sent)
        if line.response.status != 400 and isinstance(asked.get("action"), str):
            self.fields[asked["action"]].update(asked.keys() - {"action"})
        for name in ENVELOPES:
            self.shown[name].update(answer)
        result = answer.get("result", {})
        self.shown["results"].update(result)
        for name, value in result.items():
            for one in value if isinstance(value, list) else [value]:
                if name in VIEWS and isinstance(one, dict):
                    self.shown[VIEWS[name]].update(one)


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = as_the_reference_reads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


@cache
def recorded() -> Recorded:
    found = Recorded()
    for line in recording.read(CONTRACT / "reference.jsonl"):
        found.add(line)
    return found


def test_each_field_of_a_request_is_recorded_or_declared() -> None:
    known = {name: each for name, each in ACTIONS.items() if name not in additions.ACTIONS}
    ours = {
        name: {one.wire for one in each.schema.fields} - recorded().fields[name]
        for name, each in known.items()
    }
    assert ours == {name: set(each) for name, each in additions.REQUEST_FIELDS.items()}


def test_each_action_is_recorded_or_declared() -> None:
    # It was asked for there, and is unknown.
    assert ACTIONS.keys() - recorded().fields.keys() == additions.ACTIONS.keys()


def test_each_member_of_an_answer_is_recorded_or_declared() -> None:
    names = (*VIEWS.values(), *ENVELOPES)
    shown = {name: set(SCHEMAS[name]["properties"]) for name in names}
    of_results = {
        member
        for name, schema in SCHEMAS.items()
        if "routeId" not in schema.get("properties", ())
        and not {"ok", "action", "notReady"} & schema.get("properties", {}).keys()
        and name not in shown
        for member in schema.get("properties", ())
    }
    ours = {
        name: members - recorded().shown[name]
        for name, members in {**shown, "results": of_results}.items()
    }
    assert ours == {name: set(each) for name, each in additions.SHOWN.items()}


def test_each_code_is_recorded_or_declared() -> None:
    assert ANSWER_CODES.keys() - recorded().codes == additions.CODES.keys()


def test_each_path_is_recorded_or_declared() -> None:
    assert DOCUMENT["paths"].keys() - {ROUTE} == additions.PATHS.keys()


def test_each_header_of_an_answer_is_recorded_or_declared() -> None:
    ours = {name for name in HEADERS if name.lower() not in recorded().headers}
    assert ours == additions.HEADERS.keys()
