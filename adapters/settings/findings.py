"""What a reader finds in a configuration file: problems that stop, advice that does not."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final, TypeAlias

from attrs import Factory, define, field, frozen

FieldPath: TypeAlias = tuple[str | int, ...]
"""The keys and indexes that lead to a field; the empty one is the whole file."""

_PLAIN_KEY: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*")


def written(path: FieldPath) -> str:
    """Return a field's path as people write it: `gateway.trustedProxies[0]`, `routes["a.b"]`."""
    return "".join(map(_step, path)).removeprefix(".")


def _step(key: str | int) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if _PLAIN_KEY.fullmatch(key) else f"[{json.dumps(key, ensure_ascii=False)}]"


def _located(file: str, line: int | None, path: str) -> str:
    """Return `file:line: path: `, leaving out what is not known."""
    place = file if line is None else f"{file}:{line}"
    return ": ".join(part for part in (place, path) if part)


@frozen(kw_only=True)
class Problem:
    """One fault of a configuration: where, what was expected, what was found instead.

    `path` is empty for a fault of the whole file. No part of it ever shows a secret's value.
    """

    file: str
    line: int | None = None
    path: str = ""
    expected: str
    found: str

    def __str__(self) -> str:
        place = _located(self.file, self.line, self.path)
        return f"{place}: expected {self.expected}, found {self.found}"


@frozen(kw_only=True)
class Advice:
    """One thing that works but should not stay: where, and a sentence without any secret."""

    file: str
    line: int | None = None
    path: str = ""
    sentence: str

    def __str__(self) -> str:
        return f"{_located(self.file, self.line, self.path)}: {self.sentence}"


class SettingsError(Exception):
    """The configuration cannot be used; `problems` says why, one for each fault, in file order."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


@define
class Findings:
    """Collects the problems and the advice of one file while it is read."""

    file: str
    lines: Mapping[FieldPath, int] = field(repr=False)
    problems: list[Problem] = Factory(list)
    advice: list[Advice] = Factory(list)

    def line(self, path: FieldPath) -> int | None:
        """Return the line of a field, or of the closest object around it that is there."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)

    def refuse(self, path: FieldPath, *, expected: str, found: str) -> None:
        """Note a problem."""
        problem = Problem(
            file=self.file,
            line=self.line(path),
            path=written(path),
            expected=expected,
            found=found,
        )
        self.problems.append(problem)

    def advise(self, path: FieldPath, sentence: str) -> None:
        """Note a piece of advice."""
        line = self.line(path)
        self.advice.append(Advice(file=self.file, line=line, path=written(path), sentence=sentence))


def in_file_order(problem: Problem | Advice) -> int:
    """Sort by line; what has none comes first."""
    return problem.line or 0
