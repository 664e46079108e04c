"""How an answer is compared with what is expected: templates, and where they do not fit.

A template is a JSON value in which some leaves say what may stand there. Everything else has to
be equal, numbers as JSON numbers, objects without regard to the order of their keys.
"""

import re
from collections.abc import Iterator
from typing import Any, TypeGuard

from attrs import define, field, frozen

from tests.contract.bindings import DAY_MS, PLACEHOLDER, Bindings
from tests.contract.cut import Cut


@frozen
class Now:
    """A time stamp in ms within the replay, or that much later."""

    later: int = 0

    def __repr__(self) -> str:
        return f"${{now+{self.later} ms}}"


@frozen
class Id:
    """An id by its name in the recording: new where the name is, the same from then on."""

    name: str
    transform: str | None = None

    def __repr__(self) -> str:
        return f"${{{self.name}{'|' if self.transform else ''}{self.transform or ''}}}"


@frozen
class Rendered:
    """A text with names in it."""

    text: str


@frozen
class Text:
    """Any string in which the pattern is found."""

    pattern: str = r"\S"

    def __repr__(self) -> str:
        return f"/{self.pattern}/"


@frozen
class Maybe:
    """A member that may be left out."""

    value: object


@frozen
class Exactly:
    """A JSON value with its numbers and the order of its keys."""

    value: object


@frozen
class Difference:
    """One place where an answer does not fit."""

    at: str
    expected: object
    got: object

    def __str__(self) -> str:
        return f"{self.at}: expected {self.expected!r}, got {self.got!r}"


def template_of(recorded: object) -> object:
    """Turn the `${...}` strings of a recorded value into the matchers they stand for."""
    match recorded:
        case str():
            return _leaf(recorded)
        case list():
            return [template_of(item) for item in recorded]
        case dict():
            return {key: template_of(item) for key, item in recorded.items()}
        case Cut(begun=begun):
            return Cut(template_of(begun))
        case _:
            return recorded


def _leaf(text: str) -> object:
    placeholder = PLACEHOLDER.fullmatch(text)
    if placeholder is None:
        return Rendered(text) if PLACEHOLDER.search(text) else text
    if placeholder["name"] == "now":
        return Now(int(placeholder["days"] or 0) * DAY_MS)
    return Id(placeholder["name"], placeholder["filter"])


@define
class Comparison:
    """One answer against one template; `found` collects the names that it binds.

    `earliest` and `latest` are the times, in ms, between which "now" lies.
    """

    bindings: Bindings
    earliest: int
    latest: int
    found: dict[str, str] = field(factory=dict)

    def differences(self, expected: object, got: object, at: str = "") -> Iterator[Difference]:
        """Give every place where a value does not fit its template."""
        match expected:
            case dict():
                yield from self._object(expected, got, at)
            case list():
                yield from self._list(expected, got, at)
            case Cut(begun=begun):
                yield from self._beginning(begun, got, at)
            case Maybe(value=value):
                yield from self.differences(value, got, at)
            case _:
                if not self._fits(expected, got):
                    yield Difference(at, expected, got)

    def _object(self, expected: dict[str, Any], got: object, at: str) -> Iterator[Difference]:
        if not isinstance(got, dict):
            yield Difference(at, expected, got)
            return
        for key in got.keys() - expected.keys():
            yield Difference(f"{at}.{key}", "no such field", got[key])
        yield from self._members(expected, got, at)

    def _members(
        self, expected: dict[str, Any], got: dict[str, Any], at: str
    ) -> Iterator[Difference]:
        for key, value in expected.items():
            if key in got:
                yield from self.differences(value, got[key], f"{at}.{key}")
            elif not isinstance(value, Maybe):
                yield Difference(f"{at}.{key}", value, "no such field")

    def _list(self, expected: list[Any], got: object, at: str) -> Iterator[Difference]:
        if not isinstance(got, list) or len(got) != len(expected):
            yield Difference(at, expected, got)
            return
        for index, (value, item) in enumerate(zip(expected, got, strict=True)):
            yield from self.differences(value, item, f"{at}[{index}]")

    def _beginning(self, begun: object, got: object, at: str) -> Iterator[Difference]:
        match begun, got:
            case dict(), dict():
                yield from self._members(begun, got, at)
            case list(), list():
                yield from self._list(begun, got[: len(begun)], at)
            case _:
                yield from self.differences(begun, got, at)

    def _fits(self, expected: object, got: object) -> bool:
        match expected:
            case Now(later=later):
                return is_integer(got) and self.earliest <= got - later <= self.latest
            case Id():
                return isinstance(got, str) and self._is(expected, got)
            case Rendered(text=text):
                return got == self.bindings.render(text, self.latest)
            case Text(pattern=pattern):
                return isinstance(got, str) and bool(re.search(pattern, got))
            case Exactly(value=value):
                return same_to_the_order(value, got)
            case _:
                return same_scalar(expected, got)

    def _is(self, expected: Id, got: str) -> bool:
        known = {**self.bindings.ids, **self.found}
        if expected.name in known or expected.transform:
            return got == self.bindings.bind(self.found).id_of(expected.name, expected.transform)
        is_new = got.strip() != "" and got not in self.bindings.seen and got not in known.values()
        if is_new:
            self.found[expected.name] = got
        return is_new


def is_integer(value: object) -> TypeGuard[int]:
    """Tell whether a JSON value is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def same_scalar(expected: object, got: object) -> bool:
    """Compare two scalars: 1 and 1.0 are the same number, 1 and true are not."""
    both_numbers = all(
        isinstance(v, int | float) and not isinstance(v, bool) for v in (expected, got)
    )
    return (both_numbers or type(expected) is type(got)) and expected == got


def same_to_the_order(expected: object, got: object) -> bool:
    """Compare two JSON values, the order of their keys included."""
    match expected, got:
        case dict(), dict():
            return list(expected) == list(got) and all(
                same_to_the_order(expected[key], got[key]) for key in expected
            )
        case list(), list():
            return len(expected) == len(got) and all(map(same_to_the_order, expected, got))
        case _:
            return same_scalar(expected, got)
