"""The converter that reads kinds of values from the nodes of a document.

A kind is a class of attrs, whose attributes have their keys' names (`body_bytes` is `bodyBytes`),
or a type with its reader or its bounds beside it: `Annotated[int, Between(1, 9)]`. What is not of
its kind is noted and left out, so that one run finds every problem of a file. A value that lacks it
is never used, since a file with problems is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    TypeAlias,
    TypeVar,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

import attrs
from attrs import frozen
from cattrs import Converter

from adapters.settings.nodes import ABSENT, Misfit, Node, kind_of, listed
from domain.flow.values import BLANKS
from domain.history.published import public_name

T = TypeVar("T")

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_VARIABLE: Final = re.compile(r"\$\{[A-Z_][A-Z0-9_]*\}")


def read(node: Node, kind: object, default: object = None) -> Any:  # noqa: ANN401 - of the kind
    """Return a value of a kind; if it is none, that is noted, and the default returned."""
    try:
        return _CONVERTER.structure(node, cast("type[Any]", kind))
    except Misfit as misfit:
        if misfit.expected is not None:
            node.refuse(misfit.expected, misfit.found)
        return default


def read_member(node: Node, key: str, kind: object, default: T) -> T:
    """Return a member of an object as `read` does; the default if it is absent."""
    member = node.at(key)
    found: T = default if member.is_absent else read(member, kind, default)
    return found


def read_members(
    node: Node, kinds: Mapping[str, object], required: Collection[str] = ()
) -> dict[str, Any]:
    """Return the members of an object that are there and of their kinds; any other key is noted."""
    keys = {public_name(name): name for name in kinds}
    node.members(keys)
    found = {}
    for key, name in keys.items():
        member = node.at(key)
        if name in required or not member.is_absent:
            value = read(member, kinds[name], ABSENT)
            if value is not ABSENT:
                found[name] = value
    return found


@cache
def kinds_of(kind: type[attrs.AttrsInstance]) -> Mapping[str, object]:
    """Return the kind of each attribute of a class."""
    return get_type_hints(kind, include_extras=True)


def _structure_class(node: Node, kind: type[attrs.AttrsInstance]) -> object:
    """Read an object as a whole, or not at all."""
    if not isinstance(node.value, dict):
        raise Misfit("an object")
    before = len(node.diagnostics.problems)
    required = {one.name for one in attrs.fields(kind) if one.default is attrs.NOTHING}
    found = read_members(node, kinds_of(kind), required)
    if len(node.diagnostics.problems) > before:
        raise Misfit
    return kind(**found)


def _structure_flag(node: Node, _: object) -> bool:
    if not isinstance(node.value, bool):
        raise Misfit("true or false")
    return node.value


def _structure_choice(node: Node, kind: object) -> object:
    options = get_args(kind)
    if node.value not in options:
        raise Misfit(f"one of {listed(options)}", another(node, "another string"))
    return node.value


def text(node: Node, _: object = None) -> str:
    """Read a string as `plain_text` does, with advice on variables in it."""
    return literal(node, plain_text(node))


def plain_text(node: Node) -> str:
    """Read a string as `trimmed_line` does."""
    return trimmed_line(node.value)


def trimmed_line(value: object) -> str:
    """Return a string trimmed; raise Misfit if it is blank or has control characters."""
    trimmed = value.strip(BLANKS) if isinstance(value, str) else ""
    if not trimmed:
        raise Misfit("a non-empty string", kind_of(value))
    if _CONTROL.search(trimmed):
        found = "a string with a line break or another control character"
        raise Misfit("a string of one line", found)
    return trimmed


def verbatim(node: Node) -> str:
    """Read a string that goes to the operating system untrimmed, so without NUL."""
    if not isinstance(node.value, str) or "\0" in node.value:
        raise Misfit("a string", another(node, "a string with NUL"))
    return literal(node, node.value)


def literal(node: Node, string: str) -> str:
    """Return a string; advise against variables in it."""
    if _VARIABLE.search(string):  # NOTE: where OpenClaw would put the variable's value
        node.advise(
            "a variable inside a text is taken literally here: "
            "${NAME} is only replaced where it is the whole of a secret"
        )
    return string


def another(node: Node, found: str) -> str | None:
    """Return what is said of a string that does not fit; None where something else stands."""
    return found if isinstance(node.value, str) else None


@frozen
class Between:
    """Reads a whole number within bounds; with a unit, a number that may have a fraction."""

    low: float
    high: float
    unit: str | None = None

    def __call__(self, node: Node) -> float:
        """Read it."""
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Misfit(self._expected)
        is_of_kind = self.unit is not None or isinstance(value, int)
        if not is_of_kind or not self.low <= value <= self.high:
            raise Misfit(self._expected, self._other(value))
        return float(value) if self.unit else value

    def _other(self, value: float) -> str | None:
        """Return what is said of another number. APPSEC: it may be a secret, and is not shown."""
        if value > self.high:
            return "a larger number"
        if value < self.low:
            return "a smaller number"
        return None if math.isnan(value) else "a number with a point or an exponent"

    @property
    def _expected(self) -> str:
        if self.unit is None:
            return f"a whole number from {self.low} to {self.high}"
        return f"{self.unit} from {self.low:.12g} to {self.high:.12g}"


@frozen
class Matching:
    """Reads a string of a form; what is trimmed is a text of one line first."""

    pattern: re.Pattern[str]
    expected: str
    found: str = "another string"
    trimmed: bool = True

    def __call__(self, node: Node) -> str:
        """Read it. APPSEC: another one is not shown."""
        string = text(node) if self.trimmed else node.value
        if not isinstance(string, str) or not self.pattern.fullmatch(string):
            raise Misfit(self.expected, another(node, self.found))
        return string


@frozen
class Each:
    """Reads an array of bounded length; `of` names what it should hold, for the message."""

    kind: object
    of: str
    at_most: int

    def __call__(self, node: Node) -> tuple[Any, ...]:
        """Read it, without the elements that are not of their kind."""
        if not isinstance(node.value, list):
            raise Misfit(f"an array of {self.of}")
        if len(node.value) > self.at_most:
            raise Misfit(f"at most {self.at_most} {self.of}", str(len(node.value)))
        items = (
            Node((*node.path, index), item, node.diagnostics)
            for index, item in enumerate(node.value)
        )
        found = (read(item, self.kind, ABSENT) for item in items)
        return tuple(one for one in found if one is not ABSENT)


def _is(form: object) -> Callable[[object], bool]:
    return lambda kind: get_origin(kind) is form


_CONVERTER: Final = Converter(detailed_validation=False)
_CONVERTER.register_structure_hook(str, text)
_CONVERTER.register_structure_hook(bool, _structure_flag)
_CONVERTER.register_structure_hook_func(attrs.has, _structure_class)
_CONVERTER.register_structure_hook_func(_is(Literal), _structure_choice)
_CONVERTER.register_structure_hook_func(
    _is(Annotated),
    lambda node, kind: kind.__metadata__[0](node),
)

HostName: TypeAlias = Annotated[
    str, Matching(re.compile(r"\S+"), "an address or a host name", "a string with blanks")
]
PortNumber: TypeAlias = Annotated[int, Between(0, 65_535)]
