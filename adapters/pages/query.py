"""What is looked for among the flows: the fields of the form, as an address carries them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias, TypeVar

from attrs import field, frozen

from domain.audit.points import parse_time
from domain.flow import Flow
from domain.status import FlowStatus
from domain.values import Timestamp

FIELDS: Final = ("owner", "status", "since", "until", "q")
"""The fields of the form, but for the cursor."""

_MOST_DIGITS: Final = 18

Fields: TypeAlias = Mapping[str, str]

T = TypeVar("T")


@frozen(kw_only=True)
class Query:
    """Which flows are meant: of what is not None, created from `since` to before `until`.

    `text` stands in the goal, whatever the case of its letters; `before` is the cursor of a page.
    """

    owner: str | None = None
    status: FlowStatus | None = None
    since: Timestamp | None = None
    until: Timestamp | None = None
    text: str | None = None
    before: int | None = None
    _folded: str = field(init=False, default="", eq=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_folded", (self.text or "").casefold())

    @property
    def needs_a_look(self) -> bool:
        """Return whether each flow must be looked at, as no index answers the question."""
        return (self.since, self.until, self.text) != (None, None, None)

    def matches(self, flow: Flow) -> bool:
        """Say whether a flow of the right owner and status is meant."""
        return (
            (self.since is None or flow.created_at >= self.since)
            and (self.until is None or flow.created_at < self.until)
            and self._folded in flow.goal.casefold()
        )


@frozen
class Misread:
    """Fields that say nothing we know: a sentence for each."""

    problems: Mapping[str, str]


def read_query(fields: Fields) -> Query | Misread:
    """Return what some fields of a form ask for; a blank one asks for nothing."""
    problems: dict[str, str] = {}

    def read(name: str, reader: Callable[[str], T]) -> T | None:
        text = fields.get(name, "").strip()
        if not text:
            return None
        try:
            return reader(text)
        except ValueError as error:
            problems[name] = str(error)
            return None

    query = Query(
        owner=read("owner", str),
        status=read("status", _status),
        since=read("since", parse_time),
        until=read("until", parse_time),
        text=read("q", str),
        before=read("before", _cursor),
    )
    return Misread(problems) if problems else query


def kept(fields: Fields) -> dict[str, str]:
    """Return the fields that links to further pages of the same query carry."""
    return {name: fields[name] for name in FIELDS if fields.get(name, "").strip()}


def _status(text: str) -> FlowStatus:
    if text not in tuple(FlowStatus):
        raise ValueError(f"expected one of {', '.join(FlowStatus)}")
    return FlowStatus(text)


def _cursor(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise ValueError("expected a cursor that an earlier page ended with")
    return int(text)
