"""The placeholders of a text, and what each stands for in a delivery.

`{a.b}` is the text of a value in the payload, `{a.0.b}` of one in an array, `{headers.x-event}` of
a header; `{a.b|none}` has a default for what is absent or null. A step in quotes has any
characters: `{labels."a.b"}`, and `{"headers".a}` is the payload's own. `{{json a.b}}` stands alone
in its text, for the value as it is; `{{json .}}` is the whole payload. `{{` and `}}` are braces.

APPSEC: this is all there is: nothing is computed, and what is put in is never read again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

from attrs import define, evolve, frozen

from adapters.webhooks.strict_json import Malformed, compact_json, read_json

_STEP: Final = r'(?:[^\s.{}|"]+|"[^"{}]+")'
_PATH: Final = rf"(?:\.|{_STEP}(?:\.{_STEP})*)"
_TOKEN: Final = re.compile(
    rf"\{{\{{json +(?P<json>{_PATH})(?:\|(?P<else>[^{{}}]*))?\}}\}}"
    r"|(?P<stray>\{\{json )|(?P<open>\{\{)|(?P<close>\}\})"
    rf"|\{{(?P<path>{_PATH})(?:\|(?P<default>[^{{}}]*))?\}}"
    r"|(?P<brace>[{}])|(?P<plain>[^{}]+)"
)
_STEPS: Final = re.compile(_STEP)
_SECRET: Final = re.compile(
    "authorization|cookie|credential|hmac|jwt|passw|secret|signature|token|(access|api|auth)-?key",
    re.IGNORECASE,
)
_HEADERS: Final = "headers"

ABSENT: Final = object()
"""What a path leads to where nothing is."""

HeaderValue: TypeAlias = Callable[[str], str | None]
"""Returns the value of a header by its name in lower case, repeats folded into one."""


JsonPath: TypeAlias = tuple[str | int, ...]


class TemplateError(ValueError):
    """A value that is no template: where in it, and what was expected there."""

    def __init__(self, expected: str, path: JsonPath = ()) -> None:
        super().__init__(expected, path)
        self.expected, self.path = expected, path


class NotFilled(Exception):  # noqa: N818 - an answer, not an error
    """A placeholder that a delivery does not fill, and why."""

    def __init__(self, placeholder: Placeholder, why: str) -> None:
        self.placeholder, self.why = placeholder, why
        self.reason = f"{placeholder.written}: {why}"
        super().__init__(self.reason)


@frozen
class Delivery:
    """What a sender sent: the headers, and the payload as JSON."""

    header: HeaderValue
    payload: object


@define
class Budget:
    """The bytes that may still be put into a document."""

    left: int

    def spend(self, text: str, placeholder: Placeholder) -> str:
        """Take the bytes of a text that a placeholder stands for."""
        self.left -= len(text.encode())
        if self.left < 0:
            raise NotFilled(placeholder, "what it stands for makes the document too large")
        return text

    def spend_string(self, text: str, placeholder: Placeholder) -> str:
        r"""Take what a text has within a string of JSON, where `"` is two bytes and `\1` is six."""
        self.spend(str(compact_json(text))[1:-1], placeholder)
        return text


@frozen
class Placeholder:
    """A place in a delivery, as it is written, with what stands for it where nothing is."""

    written: str
    is_header: bool
    steps: tuple[str, ...]
    default: object = ABSENT
    is_json: bool = False

    def find(self, delivery: Delivery) -> object:
        """Return the value at the place, or the default; absent if there is neither.

        For a text, null is nothing.
        """
        if self.is_header:
            found: object = delivery.header(self.steps[0])
        else:
            found = delivery.payload
            for step in self.steps:
                found = _below(found, step)
        is_nothing = found is ABSENT or (found is None and not self.is_json)
        return self.default if is_nothing else found

    def text(self, delivery: Delivery) -> str:
        """Return the text of the value; that of a number or truth value is as in JSON."""
        value = self.find(delivery)
        if isinstance(value, dict | list):
            raise NotFilled(self, "an object or array is no text; {{json ...}} takes it as it is")
        return value if isinstance(value, str) else self._json(value)

    def value(self, delivery: Delivery, budget: Budget) -> object:
        """Return the value as it is."""
        value = self.find(delivery)
        budget.spend(self._json(value), self)
        return value

    def _json(self, value: object) -> str:
        if value is ABSENT:
            raise NotFilled(self, "nothing is there, and it has no default")
        text = compact_json(value)
        if text is None:
            raise NotFilled(self, "a number is beyond what a double can hold")
        return text


def _below(value: object, step: str) -> object:
    if isinstance(value, dict):
        return value.get(step, ABSENT)
    if isinstance(value, list) and re.fullmatch("[0-9]{1,9}", step):
        return value[int(step)] if int(step) < len(value) else ABSENT
    return ABSENT


@frozen
class TextTemplate:
    """A text with placeholders in it."""

    parts: tuple[str | Placeholder, ...]

    @property
    def placeholders(self) -> Iterator[Placeholder]:
        """Return what is to be filled in."""
        return (part for part in self.parts if isinstance(part, Placeholder))

    def fill(self, delivery: Delivery, budget: Budget) -> str:
        """Return the text with each placeholder's."""
        return "".join(
            part if isinstance(part, str) else budget.spend_string(part.text(delivery), part)
            for part in self.parts
        )


def parse_path(path: str) -> Placeholder:
    """Return the place that a path without braces leads to.

    Raises:
        TemplateError: if it is none.
    """
    if not re.fullmatch(_PATH, path):
        raise TemplateError("a path like pull_request.merged")
    return _placeholder(path, path, ABSENT)


def parse_template(text: str) -> TextTemplate | Placeholder:
    """Return a text with its placeholders, or the one whose value is taken as it is.

    Raises:
        TemplateError: if a brace or a default is not as it should be.
    """
    parts: list[str | Placeholder] = []
    for token in _TOKEN.finditer(text):
        match token.lastgroup:
            case "open" | "close":
                parts.append(token[0][0])
            case "plain":
                parts.append(token[0])
            case "stray" | "brace":
                raise TemplateError(
                    "placeholders like {a.b} or {a.b|none}, and {{ or }} for braces"
                )
            case _ if token["json"] is not None:
                if token[0] != text:
                    raise TemplateError("{{json a.b}} alone in its text")
                default = _json_default(token["else"])
                return evolve(_placeholder(token[0], token["json"], default), is_json=True)
            case _:
                default = ABSENT if token["default"] is None else token["default"]
                parts.append(_placeholder(token[0], token["path"], default))
    return TextTemplate(tuple(parts))


def _placeholder(written: str, path: str, default: object) -> Placeholder:
    first, *rest = raw = _STEPS.findall(path) or [""]
    if first != _HEADERS:
        steps = () if path == "." else tuple(step.strip('"') for step in raw)
        return Placeholder(written, is_header=False, steps=steps, default=default)
    name = path.removeprefix(f"{_HEADERS}.").lower()
    if not rest or '"' in name:
        raise TemplateError("{headers.NAME} for a header")
    if _SECRET.search(name):
        # APPSEC: it would be stored in an event.
        raise TemplateError("a header that holds no secret")
    return Placeholder(written, is_header=True, steps=(name,), default=default)


def _json_default(text: str | None) -> Any:  # noqa: ANN401 - any JSON value
    if text is None:
        return ABSENT
    default = read_json(text.encode())
    if isinstance(default, Malformed):
        raise TemplateError("a default that is JSON, like {{json a.b|null}}")
    return default
