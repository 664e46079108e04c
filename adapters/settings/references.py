"""Secrets as a configuration writes them: the text itself, or a reference to where it is kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Final, Literal, TypeAlias

from attrs import frozen

from adapters.settings.diagnostics import ConfigPath
from adapters.settings.nodes import Misfit, Node
from adapters.settings.secret import Secret
from adapters.settings.structure import Matching, read_members
from domain.flow.values import BLANKS

Source: TypeAlias = Literal["env", "file", "exec"]
DEFAULT_PROVIDER: Final = "default"

VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9_]{0,127}")
_SHORT_FORM: Final = re.compile(rf"\$(?:{{({VARIABLE.pattern})}}|({VARIABLE.pattern}))")
_POINTER: Final = r"(?:/(?:[^~/]|~[01])*)+"
_COMMAND_ID: Final = r"(?!(?:.*/)?\.{1,2}(?:/|$))[A-Za-z0-9][A-Za-z0-9._:/#-]{0,255}"

SINGLE_VALUE: Final = "value"
"""The only id of a file that is one secret as a whole."""


def _part(pattern: str, expected: str) -> object:
    return Annotated[str, Matching(re.compile(pattern), expected, trimmed=False)]


_SOURCE: Final = _part("env|file|exec", 'one of "env", "file", "exec"')
_PROVIDER: Final = _part(r"[a-z][a-z0-9_-]{0,63}", "a provider's name")
_IDS: Final = {
    "env": _part(VARIABLE.pattern, "a variable's name like WEBHOOK_SECRET"),
    "file": _part(rf"{_POINTER}|{SINGLE_VALUE}", 'a JSON pointer or "value"'),
    "exec": _part(_COMMAND_ID, "an id like webhooks/zapier"),
}
_ANY_ID: Final = _part(".+", "an id")


@frozen
class SecretRef:
    """Where a secret is kept: the kind of provider, its name, and the secret's id in it."""

    source: Source
    provider: str
    id: str


@frozen
class DeclaredSecret:
    """A secret, or a reference to one, where it is written, and what is made of its text."""

    held: Secret | SecretRef
    place: ConfigPath
    make: Callable[[str], Secret] = Secret

    @property
    def ref(self) -> SecretRef | None:
        """Return the reference, None for the secret itself."""
        return self.held if isinstance(self.held, SecretRef) else None


def read_secret(node: Node, make: Callable[[str], Secret] = Secret) -> DeclaredSecret:
    """Read a secret or a reference; `make` makes the secret of its text, or raises Misfit."""
    match node.value:
        case dict():
            return DeclaredSecret(_reference(node), node.path, make)
        case str(text):
            return DeclaredSecret(_secret_or_variable(text.strip(BLANKS), make), node.path, make)
        case _:
            raise Misfit("a secret or a SecretRef")


SecretField: TypeAlias = Annotated[DeclaredSecret, read_secret]


def _secret_or_variable(text: str, make: Callable[[str], Secret]) -> Secret | SecretRef:
    if not text:
        raise Misfit("a non-empty secret")
    if match := _SHORT_FORM.fullmatch(text):
        return SecretRef("env", DEFAULT_PROVIDER, match[1] or match[2])
    return make(text)


def _reference(node: Node) -> SecretRef:
    source = node.at("source").value
    identifier = _IDS.get(source, _ANY_ID) if isinstance(source, str) else _ANY_ID
    kinds = {"source": _SOURCE, "provider": _PROVIDER, "id": identifier}
    found = read_members(node, kinds, required=kinds)
    if len(found) < len(kinds):
        raise Misfit
    return SecretRef(**found)
