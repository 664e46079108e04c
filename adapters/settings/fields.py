"""Strict readers of a document's fields: each returns a value and notes what is wrong with it.

A reader that has noted a problem returns its default, so that reading goes on and one run finds
every problem of a file. Such a result is never used, since a file with problems is refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

from attrs import field, frozen

from adapters.settings.diagnostics import ConfigPath, Diagnostics
from domain.flow.values import BLANKS

_BLANK: Final = re.compile(r"\s")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_VARIABLE: Final = re.compile(r"\$\{[A-Z_][A-Z0-9_]*\}")
_SHOWN: Final = 10**15


@frozen
class Node:
    """One value of a document, at its place. APPSEC: it may be a secret, so no repr shows it."""

    path: ConfigPath
    value: object = field(repr=False)
    diagnostics: Diagnostics = field(repr=False)

    def refuse(self, *, expected: str, found: str | None = None) -> None:
        """Note a problem; what was found is described by its kind unless said otherwise."""
        found = kind_of(self.value) if found is None else found
        self.diagnostics.refuse(self.path, expected=expected, found=found)

    def text(self) -> str:
        """Read a string that is neither blank nor has control characters; return it trimmed."""
        if not isinstance(self.value, str):
            self.refuse(expected="a non-empty string")
            return ""
        trimmed = self.value.strip(BLANKS)
        if not trimmed:
            self.refuse(expected="a non-empty string")
        elif _CONTROL.search(trimmed):
            self.refuse(
                expected="a string of one line",
                found="a string with a line break or another control character",
            )
        return trimmed

    def literal_text(self) -> str:
        """Read text as `text` does, with advice on variables in it."""
        return self._literal(self.text())

    def _literal(self, text: str) -> str:
        if _VARIABLE.search(text):  # NOTE: where OpenClaw would put the variable's value
            self.diagnostics.advise(
                self.path,
                "a variable inside a text is taken literally here: "
                "${NAME} is only replaced where it is the whole of a secret",
            )
        return text

    def elements(self, *, of: str, at_most: int) -> tuple[Node, ...]:
        """Read an array of bounded length; `of` names what it should hold, for the message."""
        if not isinstance(self.value, list):
            self.refuse(expected=f"an array of {of}")
            return ()
        if len(self.value) > at_most:
            self.refuse(expected=f"at most {at_most} {of}", found=str(len(self.value)))
        items = enumerate(self.value)
        return tuple(Node((*self.path, index), item, self.diagnostics) for index, item in items)

    def verbatim(self) -> str:
        """Read a string that goes to the operating system untrimmed, so without NUL."""
        if isinstance(self.value, str) and "\0" not in self.value:
            return self._literal(self.value)
        kind = "a string with NUL" if isinstance(self.value, str) else None
        self.refuse(expected="a string", found=kind)
        return ""

    def members(self, known: Collection[str] | None = None) -> Members:
        """Read an object; where `known` keys are given, any other key is a problem."""
        if not isinstance(self.value, dict):
            self.refuse(expected="an object")
            return Members(self, {})
        fields = {
            key: Node((*self.path, key), value, self.diagnostics)
            for key, value in self.value.items()
        }
        for key, member in fields.items():
            if known is not None and key not in known:
                member.refuse(expected=f"one of the keys {listed(known)}", found="an unknown key")
        return Members(self, fields)


@frozen
class Members:
    """The members of an object, read by key; a key that is absent gives the default."""

    whole: Node
    fields: Mapping[str, Node]

    def get(self, key: str) -> Node | None:
        """Return a member, or None if it is absent."""
        return self.fields.get(key)

    def refuse_misspelt(self, *keys: str) -> None:
        """Note the members whose key is nearly one of these, in an object with others' keys."""
        right = {_bare(key): key for key in keys}
        for key, member in self.fields.items():
            expected = right.get(_bare(key), key)
            if key != expected:
                member.refuse(expected=f"the key {expected}", found="another spelling of it")

    def refuse(self, key: str, *, expected: str, found: str) -> None:
        """Note a problem of a member, which may be absent."""
        self.whole.diagnostics.refuse((*self.whole.path, key), expected=expected, found=found)

    def required(self, key: str, *, expected: str) -> Node | None:
        """Return a member; note a problem if it is absent."""
        if key not in self.fields:
            self.refuse(key, expected=expected, found="nothing")
        return self.fields.get(key)

    def object(self, key: str, known: Collection[str] | None = None) -> Members:
        """Read an object, which is empty if absent."""
        member = self.fields.get(key)
        return Members(self.whole, {}) if member is None else member.members(known)

    def elements(self, key: str, *, of: str, at_most: int) -> tuple[Node, ...]:
        """Read an array, which is empty if absent."""
        member = self.fields.get(key)
        return () if member is None else member.elements(of=of, at_most=at_most)

    def flag(self, key: str, *, default: bool) -> bool:
        """Read true or false."""
        member = self.fields.get(key)
        if member is None:
            return default
        if not isinstance(member.value, bool):
            member.refuse(expected="true or false")
            return default
        return member.value

    def text(self, key: str, *, default: str) -> str:
        """Read a non-empty string."""
        member = self.fields.get(key)
        return default if member is None else member.literal_text()

    def address(self, key: str, *, default: str) -> str:
        """Read an address or a host name."""
        host = self.text(key, default=default)
        if _BLANK.search(host):
            self.refuse(key, expected="an address or a host name", found="a string with blanks")
        return host

    def choice(self, key: str, *, default: str, options: Collection[str]) -> str:
        """Read one of some words."""
        member = self.fields.get(key)
        if member is None:
            return default
        if member.value not in options:
            kind = "another string" if isinstance(member.value, str) else None
            member.refuse(expected=f"one of {listed(options)}", found=kind)
            return default
        return str(member.value)

    def whole_number(self, key: str, *, default: int, low: int, high: int) -> int:
        """Read an integer within bounds."""
        member = self.fields.get(key)
        if member is None:
            return default
        value = member.value
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            member.refuse(expected=f"a whole number from {low} to {high}", found=shown(value))
            return default
        return value

    def seconds(self, key: str, *, default: float, low: float, high: float) -> float:
        """Read a number of seconds within bounds; fractions are allowed."""
        return self._measure(key, "seconds", default=default, low=low, high=high)

    def minutes(self, key: str, *, default: float, low: float, high: float) -> float:
        """Read a number of minutes within bounds; fractions are allowed."""
        return self._measure(key, "minutes", default=default, low=low, high=high)

    def _measure(self, key: str, unit: str, *, default: float, low: float, high: float) -> float:
        member = self.fields.get(key)
        if member is None:
            return default
        value = member.value
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not low <= value <= high
        ):
            member.refuse(expected=f"{unit} from {low:g} to {high:g}", found=shown(value))
            return default
        return float(value)


def _bare(key: str) -> str:
    """Return a key without case, blanks and dashes."""
    return "".join(filter(str.isalnum, key)).casefold()


def listed(words: Collection[str]) -> str:
    """Return words as a sentence lists them."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def kind_of(value: object) -> str:
    """Return what kind of value this is, never the value."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return "a number"
        case str():
            return "a string" if value.strip(BLANKS) else "a blank string"
        case list():
            return "an array"
        case _:
            return "an object"


def shown(value: object) -> str:
    """Return a number as it is, anything else by its kind."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return kind_of(value)
    return f"{value}" if abs(value) < _SHOWN else "a number"
