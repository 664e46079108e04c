"""A whole answer, read and compared: status, headers, body, and when it came."""

import json
from collections.abc import Iterator
from typing import NoReturn

from tests.contract.comparison import Comparison, Difference, Id
from tests.contract.cut import Cut
from tests.contract.expected import Expected, Plain
from tests.contract.wire_client import Observed

EARLY = 0.9  # the share of a deadline that has to pass
LATE_SECONDS = 1.5


def differences(
    comparison: Comparison, expected: Expected, observed: Observed
) -> Iterator[Difference]:
    """Give every place where a whole answer differs from what is expected."""
    if observed.status != expected.status:
        yield Difference("status", expected.status, observed.status)
    yield from _header_differences(comparison, expected, observed)
    yield from _body_differences(comparison, expected, observed)
    yield from _lateness(expected, observed)


def _header_differences(
    comparison: Comparison, expected: Expected, observed: Observed
) -> Iterator[Difference]:
    for name, value in expected.headers.items():
        yield from comparison.differences(value, observed.header(name), name)


def _body_differences(
    comparison: Comparison, expected: Expected, observed: Observed
) -> Iterator[Difference]:
    if isinstance(expected.body, Plain):
        told: object = observed.body.decode("utf-8", "replace")
        yield from comparison.differences(expected.body.text, told, "body")
    else:
        yield from comparison.differences(expected.body, read_json(observed.body))


def _lateness(expected: Expected, observed: Observed) -> Iterator[Difference]:
    due = expected.seconds
    if due is not None and not due * EARLY <= observed.seconds <= due + LATE_SECONDS:
        yield Difference("seconds", due, round(observed.seconds, 3))


def read_json(body: bytes) -> object:
    """Read a body strictly: UTF-8, JSON, no NaN; None where it is not."""
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def at(value: object, path: str) -> object:
    """Give the member of a JSON value at a dotted path, None where there is none."""
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def names(template: object) -> frozenset[str]:
    """Give the names of the ids that a template shows."""
    match template:
        case Id(name=name):
            return frozenset({name})
        case Cut(begun=begun):
            return names(begun)
        case dict():
            return frozenset().union(*map(names, template.values()))
        case list():
            return frozenset().union(*map(names, template))
        case _:
            return frozenset()
