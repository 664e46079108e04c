"""A parser whose help fits into 80 columns and whose refusals are one sentence, and its values."""

from __future__ import annotations

import re
from argparse import Action, ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import Any, Final, NoReturn, TypeVar

from adapters.cli.exits import Exit
from domain.flow.values import Timestamp
from domain.history.as_of import Point, parse_point, parse_time

T = TypeVar("T")
W = TypeVar("W", bound=str)

WIDTH: Final = 80


class Parser(ArgumentParser):
    """A parser of one command, or of a group of them."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - argparse's own signature
        super().__init__(
            allow_abbrev=False,
            formatter_class=lambda prog: RawDescriptionHelpFormatter(prog, width=WIDTH),
            **kwargs,
        )
        # NOTE: from Python 3.14 on, help would be coloured by what sys.stdout is.
        self.color = False

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments, and exit."""
        self.exit(Exit.TROUBLE, f"taskflow: {message} (see: {self.prog} --help)\n")


class Version(Action):
    """Prints the installed version, looked up only when it is asked for."""

    def __call__(self, parser: ArgumentParser, *_: object) -> NoReturn:
        """Print it and exit."""
        print(f"taskflow {version('taskflow-webhooks')}")  # noqa: T201 - where argparse prints too
        parser.exit(Exit.DONE)


def some_text(text: str) -> str:
    """Return an argument that is not blank."""
    if not text.strip():
        raise ArgumentTypeError("expected something, found nothing")
    return text


def one_of(names: Iterable[W]) -> Callable[[str], W]:
    """Return a reader of one of some names."""
    known = {str(name): name for name in names}

    def read(text: str) -> W:
        if text not in known:
            raise ArgumentTypeError(f"expected one of {', '.join(known)}, found {text!r}")
        return known[text]

    return read


def uri_reference(text: str) -> str:
    """Return an argument that is made of the characters of a URI: RFC 3986 §2."""
    if re.fullmatch(r"(?:[\w.~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+", text, re.ASCII) is None:
        raise ArgumentTypeError(f"expected a URI, found {text!r}")
    return text


def point(text: str) -> Point:
    """Return the point in a flow's history that an argument names."""
    return _as_argument(parse_point, text)


def moment(text: str) -> Timestamp:
    """Return the time that an argument names, in milliseconds since 1970."""
    return _as_argument(parse_time, text)


def _as_argument(parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error


def number_within(least: int, most: int) -> Callable[[str], int]:
    """Return a reader of decimal numbers within two bounds."""

    def number(text: str) -> int:
        digits = len(str(most))
        plain = text.isascii() and text.isdecimal() and len(text) <= digits
        if not plain or not least <= int(text) <= most:
            raise ArgumentTypeError(f"expected a number from {least} to {most}, found {text!r}")
        return int(text)

    return number


positive_number: Final = number_within(1, (1 << 63) - 1)
