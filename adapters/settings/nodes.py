"""A document's values at their places, and what is said of one that is not as it should be."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from attrs import field, frozen

from adapters.settings.diagnostics import ConfigPath, Diagnostics
from domain.flow.values import BLANKS

ABSENT: Final = object()
"""The value where nothing stands."""


class Misfit(Exception):  # noqa: N818 - an answer, not an error
    """A value is not of its kind; what was found is said by its own kind unless it is given.

    Without `expected`, all that is wrong with the value has been noted.
    """

    def __init__(self, expected: str | None = None, found: str | None = None) -> None:
        super().__init__(expected, found)
        self.expected, self.found = expected, found

    def __str__(self) -> str:
        return f"expected {self.expected}, found {self.found}"


@frozen
class Node:
    """One value of a document, at its place. APPSEC: it may be a secret, so no repr shows it."""

    path: ConfigPath
    value: object = field(repr=False)
    diagnostics: Diagnostics = field(repr=False)

    @property
    def is_absent(self) -> bool:
        """Return whether nothing stands at the place."""
        return self.value is ABSENT

    def refuse(self, expected: str, found: str | None = None) -> None:
        """Note a problem; what was found is described by its kind unless said otherwise."""
        found = kind_of(self.value) if found is None else found
        self.diagnostics.refuse(self.path, expected=expected, found=found)

    def advise(self, sentence: str) -> None:
        """Note a piece of advice."""
        self.diagnostics.advise(self.path, sentence)

    def at(self, key: str) -> Node:
        """Return what an object has at a key, which may be nothing."""
        value = self.value.get(key, ABSENT) if isinstance(self.value, dict) else ABSENT
        return Node((*self.path, key), value, self.diagnostics)

    def members(self, known: Collection[str] | None = None) -> dict[str, Node]:
        """Return what an object has; where `known` keys are given, any other key is noted."""
        if self.is_absent:
            return {}
        if not isinstance(self.value, dict):
            self.refuse("an object")
            return {}
        members = {key: self.at(key) for key in self.value}
        for key, member in members.items():
            if known is not None and key not in known:
                member.refuse(f"one of the keys {listed(known)}", "an unknown key")
        return members

    def refuse_misspelt(self, *keys: str, others: Collection[str] | None = None) -> None:
        """Note the members whose key is nearly one of these, in an object with others' keys.

        Where the others are given, any further key is noted, too.
        """
        right = {bare(key): key for key in keys}
        for key, member in self.members().items():
            expected = right.get(bare(key), key)
            if key != expected:
                member.refuse(f"the key {expected}", "another spelling of it")
            elif others is not None and key not in (known := (*keys, *others)):
                member.refuse(f"one of the keys {listed(known)}", "an unknown key")


def bare(key: str) -> str:
    """Return a key, or a path, without case, blanks and signs."""
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
            return "nothing" if value is ABSENT else "an object"
