"""The one form of each number, text, base64 and JSON, and what is raised where it is another."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from typing import Any, NoReturn

HASH_BYTES, LARGEST, LONGEST_NAME, MOST_SENTENCES = 32, (1 << 63) - 1, 1000, 10
SURROGATE = re.compile("[\ud800-\udfff]")


class Wrong(Exception):  # noqa: N818 - reads as what is said of a pack
    """What is not as it should be, a sentence each."""


class Unchecked(Exception):  # noqa: N818 - the same
    """Why something could not be checked here."""


class Wrongs:
    """What is wrong: the first few sentences, and how many there are beside them."""

    def __init__(self) -> None:
        self._kept: list[str] = []
        self._more = 0

    def add(self, sentence: str) -> None:
        """Keep a sentence, or count it."""
        if len(self._kept) < MOST_SENTENCES:
            self._kept.append(sentence)
        else:
            self._more += 1

    def check(self) -> None:
        """Raise `Wrong` if there are any."""
        if self._kept:
            raise Wrong(*self._kept, *([f"and {self._more} more"] if self._more else []))


def refuse(word: str) -> NoReturn:
    """Raise ValueError: for a decoder that must not take a word."""
    raise ValueError(f"{word[:40]} has no place here")


def without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object in which each name stands once; raise ValueError otherwise."""
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else refuse("a name that stands twice")


read_strictly = json.JSONDecoder(
    parse_float=refuse, parse_constant=refuse, object_pairs_hook=without_repeats
).decode


def encode_base64(octets: bytes) -> str:
    """Return the base64 form of some bytes (RFC 4648 §4)."""
    return b64encode(octets).decode("ascii")


def decode_base64(text: str) -> bytes:
    """Return what a text is the one base64 form of; raise ValueError if it is not."""
    octets = b64decode(text, validate=True)
    return octets if encode_base64(octets) == text else refuse("another base64 of the same")


def is_count(value: object, least: int = 1) -> bool:
    """Say whether a value is a whole number that a store can hold."""
    return type(value) is int and least <= value <= LARGEST


def is_name(value: object) -> bool:
    """Say whether a value is a text, not overlong, that UTF-8 can write."""
    return isinstance(value, str) and len(value) <= LONGEST_NAME and not SURROGATE.search(value)


def counted(count: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
