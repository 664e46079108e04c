"""What a reader finds in a configuration file: problems that stop, advice that does not."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeAlias

from attrs import Factory, define, field, frozen

ConfigPath: TypeAlias = tuple[str | int, ...]
"""The keys and indexes that lead to a field; the empty one is the whole file."""

_PLAIN_KEY: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*")


def written(path: ConfigPath) -> str:
    """Return a field's path as people write it: `gateway.trustedProxies[0]`, `routes["a.b"]`."""
    return "".join(map(_step, path)).removeprefix(".")


def _step(key: str | int) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if _PLAIN_KEY.fullmatch(key) else f"[{json.dumps(key, ensure_ascii=False)}]"


@frozen
class SourceLine:
    """A line of a configuration file, counted from 1; None is the file as a whole."""

    file: str
    line: int | None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


@frozen(kw_only=True)
class ConfigProblem:
    """One fault of a configuration: where, what was expected, what was found instead.

    `path` is empty for a fault of the whole file. No part of it ever shows a secret's value.
    """

    file: str
    line: int | None = None
    path: str = ""
    expected: str
    found: str

    @property
    def sentence(self) -> str:
        """Return what is wrong."""
        return f"expected {self.expected}, found {self.found}"

    def __str__(self) -> str:
        return _located(self)


@frozen(kw_only=True)
class ConfigAdvice:
    """One thing that works but should not stay: where, and a sentence without any secret."""

    file: str
    line: int | None = None
    path: str = ""
    sentence: str

    def __str__(self) -> str:
        return _located(self)


def _located(one: ConfigProblem | ConfigAdvice) -> str:
    place = str(SourceLine(one.file, one.line))
    return ": ".join(part for part in (place, one.path, one.sentence) if part)


class SettingsError(Exception):
    """The configuration cannot be used; `problems` says why, one for each fault, in file order."""

    def __init__(self, problems: tuple[ConfigProblem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


@define
class Diagnostics:
    """Collects the problems and the advice of one configuration while it is read.

    Its relative paths start at the folder of its file; `~/` stands for `home`.
    """

    file: str
    lines: Mapping[ConfigPath, SourceLine] = field(repr=False)
    home: str | None = field(default=None, repr=False)
    problems: list[ConfigProblem] = Factory(list)
    advice: list[ConfigAdvice] = Factory(list)

    def file_at(self, path: str) -> Path:
        """Return the file that a path of the configuration leads to."""
        is_home = self.home is not None and path.startswith("~/")
        return self.folder / (f"{self.home}{path[1:]}" if is_home else path)

    @property
    def folder(self) -> Path:
        """Return the folder of the configuration."""
        return Path(self.file).absolute().parent

    def source(self, path: ConfigPath) -> SourceLine:
        """Return where a field stands, or the closest object around it that is there."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, SourceLine(self.file, None))

    def refuse(self, path: ConfigPath, *, expected: str, found: str) -> None:
        """Note a problem."""
        at, place = self.source(path), written(path)
        self.problems.append(
            ConfigProblem(file=at.file, line=at.line, path=place, expected=expected, found=found)
        )

    def advise(self, path: ConfigPath, sentence: str) -> None:
        """Note a piece of advice."""
        at, place = self.source(path), written(path)
        self.advice.append(ConfigAdvice(file=at.file, line=at.line, path=place, sentence=sentence))

    def advise_on_file(self, file: str, sentence: str) -> None:
        """Note a piece of advice on a file as a whole."""
        self.advice.append(ConfigAdvice(file=file, sentence=sentence))

    def order(self, finding: ConfigProblem | ConfigAdvice) -> tuple[bool, str, int]:
        """Return the key that sorts by file, the configuration first, and line."""
        return finding.file != self.file, finding.file, finding.line or 0
