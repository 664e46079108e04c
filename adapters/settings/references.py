"""Secrets as a configuration writes them: the text itself, or a reference to where it is kept."""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias, cast

from attrs import frozen

from adapters.settings.fields import Members, Node
from adapters.settings.secret import Secret
from domain.flow.values import BLANKS

Source: TypeAlias = Literal["env", "file", "exec"]
SOURCES: Final = ("env", "file", "exec")
DEFAULT_PROVIDER: Final = "default"

VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9_]{0,127}")
_SHORT_FORM: Final = re.compile(rf"\$(?:{{({VARIABLE.pattern})}}|({VARIABLE.pattern}))")
_PROVIDER: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_POINTER: Final = re.compile(r"(?:/(?:[^~/]|~[01])*)+")
_COMMAND_ID: Final = re.compile(r"(?!(?:.*/)?\.{1,2}(?:/|$))[A-Za-z0-9][A-Za-z0-9._:/#-]{0,255}")

SINGLE_VALUE: Final = "value"
"""The only id of a file that is one secret as a whole."""

_IDS: Final = {
    "env": (VARIABLE, "a variable's name like WEBHOOK_SECRET"),
    "file": (re.compile(rf"{_POINTER.pattern}|{SINGLE_VALUE}"), 'a JSON pointer or "value"'),
    "exec": (_COMMAND_ID, "an id like webhooks/zapier"),
}


@frozen
class SecretRef:
    """Where a secret is kept: the kind of provider, its name, and the secret's id in it."""

    source: Source
    provider: str
    id: str


SecretInput: TypeAlias = Secret | SecretRef
"""What a field for a secret may hold."""


def read_secret_input(field: Node) -> SecretInput | None:
    """Read a secret or a reference to one; None if there was a problem, which is noted."""
    match field.value:
        case dict():
            return _reference(field.members(("source", "provider", "id")))
        case str():
            return _text(field)
        case _:
            field.refuse(expected="a secret or a SecretRef")
            return None


def _text(field: Node) -> SecretInput | None:
    text = str(field.value).strip(BLANKS)
    if not text:
        field.refuse(expected="a non-empty secret")
        return None
    if match := _SHORT_FORM.fullmatch(text):
        return SecretRef("env", DEFAULT_PROVIDER, match[1] or match[2])
    return Secret(text)


def refuse_placeholder(held: SecretInput | None, field: Node) -> None:
    """Note a problem if what is written as a secret is visibly none."""
    if isinstance(held, Secret) and held.is_placeholder:
        field.refuse(
            expected="a secret, "
            'or a reference to one as "${NAME}" in capitals or as {source, provider, id}',
            found="a placeholder, which nothing replaces",
        )


def _reference(members: Members) -> SecretRef | None:
    expected = f"one of {_quoted(SOURCES)}"
    source = _member(members, "source", expected=expected, pattern=re.compile("|".join(SOURCES)))
    provider = _member(members, "provider", expected="a provider's name", pattern=_PROVIDER)
    pattern, meaning = _IDS.get(source, (re.compile(".+"), "an id"))
    identifier = _member(members, "id", expected=meaning, pattern=pattern)
    if not (source and provider and identifier):
        return None
    return SecretRef(cast("Source", source), provider, identifier)


def _quoted(words: tuple[str, ...]) -> str:
    return ", ".join(f'"{word}"' for word in words)


def _member(members: Members, key: str, *, expected: str, pattern: re.Pattern[str]) -> str:
    """Read one part of a reference; "" if it is not of its form. APPSEC: its text is not shown."""
    field = members.required(key, expected=expected)
    if field is None:
        return ""
    if not isinstance(field.value, str) or not pattern.fullmatch(field.value):
        kind = "another string" if isinstance(field.value, str) else None
        field.refuse(expected=expected, found=kind)
        return ""
    return field.value
