"""A configuration with the files that it includes, merged as OpenClaw merges them.

An object with `$include` stands for the file of that name, or for several, merged in their order;
keys beside it are merged last. Objects merge by key, arrays are joined, of anything else the last
wins. A name is relative to the file that it stands in.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeAlias

from attrs import Factory, define, field, frozen

from adapters.settings.diagnostics import ConfigPath, ConfigProblem, SourceLine, written
from adapters.settings.document import MAX_DEPTH, Json5File, read_document

INCLUDE: Final = "$include"
ROOTS: Final = "OPENCLAW_INCLUDE_ROOTS"
MAX_NESTING: Final = 10
MAX_FILES: Final = 256

_OURS: Final[tuple[ConfigPath, ...]] = (
    ("gateway", "trustedProxies"),
    ("secrets", "providers"),
    ("plugins", "enabled"),
    ("plugins", "deny"),
    ("plugins", "allow"),
    ("plugins", "entries", "webhooks"),
    ("taskflow",),
)
"""The parts of an OpenClaw configuration that are read; all else is ignored."""

_Chain: TypeAlias = tuple[Path, ...]
"""The files that lead to a place: the configuration itself, then each that includes the next."""


@frozen
class MergedDocument:
    """What a configuration says as a whole. APPSEC: `value` holds secrets, so no repr shows it.

    `files` are the configuration and what it includes; `repeats` are the keys of our own parts that
    stand twice in one object.
    """

    file: str
    value: object = field(repr=False)
    lines: Mapping[ConfigPath, SourceLine] = field(repr=False)
    repeats: tuple[ConfigProblem, ...] = ()
    files: tuple[str, ...] = ()


def read_merged(
    path: Path, environ: Mapping[str, str]
) -> MergedDocument | tuple[ConfigProblem, ...]:
    """Read a configuration and what it includes in our parts, or say what is wrong with a file.

    An included file is in the folder of the configuration, or in one of `OPENCLAW_INCLUDE_ROOTS`.
    """
    document = read_document(path)
    if not isinstance(document, Json5File):
        return (document,)
    file = Path(os.path.normpath(path.absolute()))
    reader = _Reader((file.parent, *_more_roots(environ)))
    merged = reader.follow(reader.tree(document, ()), (), (file,))
    if reader.problems:
        return tuple(reader.problems)
    lines: dict[ConfigPath, SourceLine] = {}
    value = _plain(merged, (), lines)
    files = tuple(dict.fromkeys((document.file, *map(str, reader.included))))
    return MergedDocument(document.file, value, lines, tuple(reader.repeats), files)


def _more_roots(environ: Mapping[str, str]) -> list[Path]:
    named = (name.strip() for name in environ.get(ROOTS, "").split(os.pathsep))
    home = environ.get("HOME", "~")
    paths = (Path(home + name[1:] if name.startswith("~/") else name) for name in named)
    return [Path(os.path.normpath(path)) for path in paths if path.is_absolute()]


@frozen
class _Node:
    """A value and where it stands; the members of an object and elements of an array are nodes."""

    content: object = field(repr=False)
    at: SourceLine


@define
class _Reader:
    roots: tuple[Path, ...]
    problems: list[ConfigProblem] = Factory(list)
    repeats: list[ConfigProblem] = Factory(list)
    included: list[Path] = Factory(list)

    def tree(self, document: Json5File, mount: ConfigPath) -> _Node:
        """Return a file's value as nodes; note its repeated keys, `mount` being its own place."""
        for repeat in document.repeats:
            place = (*mount, *repeat.path)
            if _is_ours(place[:-1] if place[-1] == INCLUDE else place):
                found = f"a second one (the first is in line {repeat.first_line})"
                at = SourceLine(document.file, repeat.line)
                self.repeats.append(_problem(at, place, "each key once", found))
        return _tree(document, (), document.value)

    def follow(self, node: _Node, path: ConfigPath, files: _Chain) -> _Node:
        """Return a node with included files in their places."""
        if not _is_ours(path):
            return node
        match node.content:
            case list() as items:
                followed = [self.follow(one, (*path, i), files) for i, one in enumerate(items)]
                return _Node(followed, node.at)
            case dict() as members:
                own = {
                    key: self.follow(one, (*path, key), files)
                    for key, one in members.items()
                    if key != INCLUDE
                }
                named, rest = members.get(INCLUDE), _Node(own, node.at)
                return self._include(named, rest, path, files) if named else rest
            case _:
                return node

    def _include(self, named: _Node, rest: _Node, path: ConfigPath, files: _Chain) -> _Node:
        names = named.content if isinstance(named.content, list) else [named]
        if not all(isinstance(name.content, str) for name in names):
            expected = "the name of a file, or an array of names"
            self._refuse(named.at, path, expected=expected, found="something else")
            return rest
        merged = _Node({}, named.at)
        for name in names:
            merged = _merged(merged, self._file(name, path, files))
        if not rest.content:
            return merged
        if not isinstance(merged.content, dict):
            expected = "a file with an object, as other keys stand beside it"
            self._refuse(named.at, path, expected=expected, found="another value")
        return _merged(merged, rest)

    def _file(self, name: _Node, path: ConfigPath, files: _Chain) -> _Node:
        """Return what a file holds with its own includes; nothing if there is a problem."""
        file = Path(os.path.normpath(files[-1].parent / str(name.content)))
        self.included.append(file)
        if fault := self._fault(file, path, files):
            self._refuse(name.at, path, expected=fault[0], found=fault[1])
            return _Node({}, name.at)
        document = read_document(file)
        if isinstance(document, Json5File):
            return self.follow(self.tree(document, path), path, (*files, file))
        if document.line is None:
            found = f"{document.found} ({file})"
            self._refuse(name.at, path, expected=document.expected, found=found)
        else:
            self.problems.append(document)
        return _Node({}, name.at)

    def _fault(self, file: Path, path: ConfigPath, files: _Chain) -> tuple[str, str] | None:
        """Return what is expected of an included file, and what was found instead."""
        if file in files:
            circle = " -> ".join(map(str, (*files[files.index(file) :], file)))
            return "a file that does not include itself", circle
        if len(files) > MAX_NESTING:
            return f"at most {MAX_NESTING} includes in one another", "more"
        if len(path) > MAX_DEPTH:
            return f"at most {MAX_DEPTH} levels of nesting", "more"
        if len(self.included) > MAX_FILES:
            return f"at most {MAX_FILES} included files", "more"
        return self._location_fault(file)

    def _location_fault(self, file: Path) -> tuple[str, str] | None:
        # APPSEC: what a name links to is confined, as in OpenClaw.
        try:
            real, roots = file.resolve(), [root.resolve() for root in self.roots]
            is_other = file.exists() and not file.is_file()
        except (OSError, RuntimeError, ValueError):  # NOTE: a loop of links, a long name, NUL
            return "a readable file", "a name that leads nowhere"
        if not any(real.is_relative_to(root) for root in roots):
            return f"a file in the configuration's folder, or in one of {ROOTS}", str(file)
        return ("a regular file", f"something else ({file})") if is_other else None

    def _refuse(self, at: SourceLine, path: ConfigPath, *, expected: str, found: str) -> None:
        self.problems.append(_problem(at, (*path, INCLUDE), expected, found))


def _is_ours(path: ConfigPath) -> bool:
    """Return whether a place is in or around our own parts."""
    return any(
        all(mine == theirs for mine, theirs in zip(path, ours, strict=False)) for ours in _OURS
    )


def _problem(at: SourceLine, path: ConfigPath, expected: str, found: str) -> ConfigProblem:
    place = written(path)
    return ConfigProblem(file=at.file, line=at.line, path=place, expected=expected, found=found)


def _tree(document: Json5File, path: ConfigPath, value: object) -> _Node:
    at = SourceLine(document.file, document.lines[path])
    match value:
        case dict() as members:
            return _Node({k: _tree(document, (*path, k), v) for k, v in members.items()}, at)
        case list() as items:
            return _Node([_tree(document, (*path, i), v) for i, v in enumerate(items)], at)
        case _:
            return _Node(value, at)


def _merged(under: _Node, over: _Node) -> _Node:
    match under.content, over.content:
        case dict() as old, dict() as new:
            both = {k: _merged(old[k], v) if k in old else v for k, v in new.items()}
            return _Node({**old, **both}, over.at)
        case list() as old, list() as new:
            return _Node([*old, *new], over.at)
        case _:
            return over


def _plain(node: _Node, path: ConfigPath, lines: dict[ConfigPath, SourceLine]) -> object:
    """Return a node's value without places; put those into `lines`."""
    lines[path] = node.at
    match node.content:
        case dict() as members:
            return {key: _plain(one, (*path, key), lines) for key, one in members.items()}
        case list() as items:
            return [_plain(one, (*path, i), lines) for i, one in enumerate(items)]
        case _:
            return node.content
