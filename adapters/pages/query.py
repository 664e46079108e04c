"""The query of a page: the fields of its form, as an address carries them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from attrs import frozen

from adapters.pages.rendering import address
from domain.flow.ids import Owner
from domain.flow.state import Flow
from domain.flow.status import FlowStatus
from domain.flow.values import BLANKS, Timestamp
from domain.history.as_of import parse_time

_MOST_DIGITS: Final = 18

FormFields: TypeAlias = Mapping[str, str]
Reader: TypeAlias = Callable[[str], object]


@frozen(kw_only=True)
class FlowQuery:
    """Which flows are asked for: of what is not None, created from `since` to before `until`.

    `q` stands in the goal, whatever the case of its letters; `before` is the cursor of a page.
    """

    owner: Owner | None = None
    status: FlowStatus | None = None
    since: Timestamp | None = None
    until: Timestamp | None = None
    q: str | None = None
    before: int | None = None

    @property
    def needs_a_look(self) -> bool:
        """Return whether each flow must be looked at, as no index answers the question."""
        return (self.since, self.until, self.q) != (None, None, None)

    def matches(self, flow: Flow) -> bool:
        """Say whether a flow of the right owner and status is asked for."""
        return (
            (self.since is None or flow.created_at >= self.since)
            and (self.until is None or flow.created_at < self.until)
            and (self.q or "").casefold() in flow.goal.casefold()
        )


@frozen
class Misread:
    """Fields that cannot be read: a sentence for each."""

    problems: Mapping[str, str]


def read_query(fields: FormFields) -> FlowQuery | Misread:
    """Return what some fields of a form ask for; a blank one asks for nothing."""
    read = read_fields(fields, _READERS)
    return read if isinstance(read, Misread) else FlowQuery(**read)


def read_fields(fields: FormFields, readers: Mapping[str, Reader]) -> dict[str, Any] | Misread:
    """Return what the readers, which are named as the fields, make of those that are not blank.

    A reader raises ValueError, whose sentence says what was expected.
    """
    read, problems = {}, {}
    for name, reader in readers.items():
        if text := fields.get(name, "").strip(BLANKS):
            try:
                read[name] = reader(text)
            except ValueError as error:
                problems[name] = str(error)
    return Misread(problems) if problems else read


def form_values(
    path: str, fields: FormFields, problems: FormFields, cursor: int | None
) -> dict[str, object]:
    """Return what the template of a form needs, with the links to further pages of its query."""
    kept = {name: text for name, text in fields.items() if name != "before" and text.strip(BLANKS)}
    return {
        "fields": fields,
        "problems": problems,
        "filtered": bool(kept),
        "older": address(path, **kept, before=cursor),
        "newest": address(path, **kept) if fields["before"] else None,
    }


def _status(text: str) -> FlowStatus:
    if text not in tuple(FlowStatus):
        raise ValueError(f"expected one of {', '.join(FlowStatus)}")
    return FlowStatus(text)


def read_cursor(text: str) -> int:
    """Return the number that a page's cursor is."""
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise ValueError("expected a cursor that an earlier page ended with")
    return int(text)


_READERS: Final[Mapping[str, Reader]] = {
    "owner": str,
    "status": _status,
    "since": parse_time,
    "until": parse_time,
    "q": str,
    "before": read_cursor,
}
FIELDS: Final = tuple(_READERS)
"""The fields of the form, and the cursor."""
