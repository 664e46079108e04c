"""The laws of the house: who may import whom, and what may stand at the top.

The laws are tried on small trees that break them first, so that this test is known to fail.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final, TypeAlias

import pytest
from attrs import frozen

ROOT: Final = Path(__file__).parents[1]
SOURCES: Final = ("app.py", "domain", "adapters", "tests")
OURS: Final = frozenset({"app", "domain", "adapters", "tests"})

PURE: Final = frozenset(
    """
    __future__ attr attrs collections contextlib datetime domain enum functools hashlib itertools
    json math operator struct typing
    """.split()  # noqa: SIM905 - so many names read better as text
)
"""What the domain may import: all else might read a clock, make ids, log, or touch the world."""

ROOMS: Final[Mapping[str, tuple[str, ...]]] = {
    "attr": ("app", "domain", "adapters"),
    "attrs": ("app", "domain", "adapters"),
    "cattrs": ("adapters",),
    "cryptography": ("adapters.audit", "adapters.settings"),
    "eventsourcing": ("adapters.store",),
    "falcon": ("adapters.webhooks", "adapters.pages"),
    "hypothesis": ("adapters.testing",),
    "jinja2": ("adapters.pages",),
    "orjson": ("adapters",),
    "pkgutil": ("adapters.testing",),
    "prometheus_client": ("adapters.metrics",),
    "psycopg": ("adapters.store",),
    "psycopg_pool": ("adapters.store",),
    "pyjson5": ("adapters.settings",),
    "redis": ("adapters.shared_limits",),
    "rich": ("adapters.cli",),
    "sqlite3": ("adapters.store",),
    "waitress": ("adapters.server",),
}
"""Where each package lives, tests aside; one that is not named here has no room yet."""

BY_TEXT: Final = frozenset({"__import__", "import_module", "run_module"})
"""What imports a module that a text names."""

COMPOSITION: Final = "adapters.composition"
"""The one room that may import the others; it belongs to `app`, which alone imports it (ADR 28)."""

LEAF: Final = "adapters.presentation"
"""The room under `adapters` that its siblings may import; it imports the domain only (ADR 57)."""

BELOW: Final[Mapping[str, frozenset[str]]] = {
    "flow": frozenset(),
    "application": frozenset({"flow"}),
    "history": frozenset({"flow", "application"}),
    "replay": frozenset({"flow", "application", "history"}),
    "tlog": frozenset({"flow", "application", "history"}),
}
"""The rooms of the domain, and from which others each may import."""

TOP: Final = frozenset(
    """
    pyproject.toml domain adapters app.py tests docs
    README.md CHANGELOG.md CONTRIBUTING.md LICENSE Makefile requirements.lock
    examples bench deploy .ci .gitignore
    """.split()  # noqa: SIM905 - the same
)
"""All that may stand at the top of the repository."""


@frozen
class Module:
    """A module by its dotted name, with the dotted names that it imports wherever in its text."""

    name: str
    imports: tuple[str, ...]


House: TypeAlias = Mapping[str, Module]


def house(root: Path) -> House:
    """Read all modules below a root."""
    files = [
        file
        for source in SOURCES
        for file in ([root / source] if source.endswith(".py") else (root / source).rglob("*.py"))
        if file.exists()
    ]
    texts = {_name(file.relative_to(root)): file for file in files}
    return {name: Module(name, _imports(name, file, set(texts))) for name, file in texts.items()}


def breaches(modules: House) -> list[str]:
    """Return a sentence for each import that a law forbids, and each module without a room."""
    tried = [module for name, module in modules.items() if not _inside(name, "tests")]
    found = {breach for module in tried for breach in _breaches(module)}
    return sorted(found | {f"{one.name}: in no room" for one in tried if _is_homeless(one.name)})


def cycles(modules: House) -> list[str]:
    """Return a sentence for the first cycle of imports, if there is one."""
    graph = {name: set(module.imports) & modules.keys() for name, module in modules.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [" imports ".join(reversed(error.args[1]))]
    return []


def strangers(files: Iterable[str]) -> set[str]:
    """Return what stands at the top of a repository with these files, and should not."""
    return {name.split("/")[0] for name in files} - TOP


def _name(file: Path) -> str:
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(name: str, file: Path, known: set[str]) -> tuple[str, ...]:
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    found: list[str] = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(node, package)
            inner = [f"{origin}.{alias.name}" for alias in node.names]
            found.extend(target if target in known else origin for target in inner)
        elif isinstance(node, ast.alias) and node.asname and node.name in BY_TEXT:
            found.append(node.asname)
        elif isinstance(node, ast.Attribute) and node.attr in {"now", "today", "utcnow"}:
            found.append("time")  # the clock that `datetime` has
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in BY_TEXT:
            found.append(ast.unparse(node.args[0]).strip("'\"") if node.args else "?")
    return tuple(found)


def _origin(node: ast.ImportFrom, package: str) -> str:
    above = package.split(".")[: package.count(".") + 2 - node.level] if node.level else []
    return ".".join([*above, *filter(None, [node.module])])


def _breaches(module: Module) -> Iterable[str]:
    for target in module.imports:
        top = target.split(".")[0]
        told = f"{module.name} imports {target}"
        if top in {"app", "tests"}:
            yield f"{told}: nobody may"
        elif target in {"domain", "adapters"}:
            yield f"{told}: name the room"
        elif _inside(module.name, "domain") and top not in PURE:
            yield f"{told}: the domain is pure"
        elif _inside(target, "domain") and not _is_below(module.name, target):
            yield f"{told}: against the direction of the domain"
        elif _inside(target, COMPOSITION) and not _composes(module.name):
            yield f"{told}: only app may"
        elif top == "adapters" and _is_sibling(module.name, target):
            yield f"{told}: a sibling"
        elif not _is_at_home(module.name, top):
            yield f"{told}: it lives in {' and '.join(ROOMS.get(top, ['no room yet']))}"


def _is_homeless(name: str) -> bool:
    return name.startswith("domain.") and name.split(".")[1] not in BELOW


def _inside(name: str, room: str) -> bool:
    return f"{name}.".startswith(f"{room}.")


def _is_below(name: str, target: str) -> bool:
    here, there = f"{name}.".split("."), target.split(".")
    if here[0] != "domain":
        return True
    return here[1] == there[1] or there[1] in BELOW.get(here[1], frozenset())


def _is_sibling(name: str, target: str) -> bool:
    here, there = name.split("."), target.split(".")
    apart = here[1:2] != there[1:2] and not _inside(target, LEAF)
    return here[0] == "adapters" and apart and not _composes(name)


def _composes(name: str) -> bool:
    return name == "app" or _inside(name, COMPOSITION)


def _is_at_home(name: str, top: str) -> bool:
    if top not in ROOMS:
        return top in sys.stdlib_module_names or top in OURS
    return any(_inside(name, room) for room in ROOMS[top])


def test_no_module_imports_what_it_must_not() -> None:
    assert breaches(house(ROOT)) == []


def test_no_modules_import_one_another_in_a_circle() -> None:
    assert cycles(house(ROOT)) == []


def test_the_house_was_read() -> None:
    modules = house(ROOT)
    assert {"app", "domain.flow.decide", "adapters.store.store", __name__} <= modules.keys()
    assert "domain.flow.lifecycle" in modules["domain.flow.decide"].imports


def test_only_what_the_design_names_stands_at_the_top() -> None:
    command = ["git", "ls-files"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603 - no input of others
    assert strangers(listed.stdout.splitlines()) == set()


CLEAN: Final[Mapping[str, str]] = {
    "app.py": "import adapters.store.file, adapters.composition.gateway, domain.flow.state",
    "adapters/composition/gateway.py": "import adapters.store.file, adapters.webhooks.wire",
    "domain/__init__.py": "",
    "domain/flow/__init__.py": "",
    "domain/flow/state.py": "import enum\nfrom attrs import frozen",
    "domain/flow/evolve.py": "from . import state\nfrom domain.flow.state import Flow",
    "domain/history/as_of.py": "import domain.flow.state, domain.application.ports",
    "domain/tlog/tiles.py": "import domain.history.as_of",
    "domain/replay/redecide.py": "import domain.history.as_of, domain.flow.state",
    "adapters/__init__.py": "",
    "adapters/presentation/words.py": "import domain.history.as_of, json",
    "adapters/store/__init__.py": "from adapters.store.file import File",
    "adapters/store/file.py": "import sqlite3, cattrs\nfrom eventsourcing.application import A",
    "adapters/webhooks/wire.py": "import falcon, adapters.presentation.words\nfrom . import x",
    "tests/test_it.py": "import app, falcon, hypothesis, adapters.store.file, anything",
}
"""A small house in which no law is broken."""

BROKEN: Final = (
    ("domain/flow/state.py", "import os", "domain.flow.state imports os: the domain is pure"),
    (
        "domain/flow/state.py",
        "from time import time",
        "domain.flow.state imports time: the domain is pure",
    ),
    (
        "domain/flow/state.py",
        "import cattrs",
        "domain.flow.state imports cattrs: the domain is pure",
    ),
    (
        "domain/flow/state.py",
        "from adapters.store import file",
        "domain.flow.state imports adapters.store.file: the domain is pure",
    ),
    (
        "domain/flow/state.py",
        "from datetime import UTC, datetime\ndatetime.now(UTC)",
        "domain.flow.state imports time: the domain is pure",
    ),
    (
        "domain/flow/state.py",
        "import gzip\ngzip.open('flows')",
        "domain.flow.state imports gzip: the domain is pure",
    ),
    (
        "domain/__init__.py",
        "from domain.flow import state",
        "domain imports domain.flow.state: against the direction of the domain",
    ),
    (
        "domain/flow/state.py",
        "def f():\n    import uuid",
        "domain.flow.state imports uuid: the domain is pure",
    ),
    (
        "domain/flow/state.py",
        "from domain.history.as_of import x",
        "domain.flow.state imports domain.history.as_of: against the direction of the domain",
    ),
    (
        "domain/tlog/tiles.py",
        "import domain.replay.redecide",
        "domain.tlog.tiles imports domain.replay.redecide: against the direction of the domain",
    ),
    (
        "domain/replay/redecide.py",
        "import domain.tlog.tiles",
        "domain.replay.redecide imports domain.tlog.tiles: against the direction of the domain",
    ),
    ("domain/sixth/room.py", "import enum", "domain.sixth.room: in no room"),
    ("domain/loose.py", "", "domain.loose: in no room"),
    (
        "domain/flow/state.py",
        "import domain\ndomain.history.as_of",
        "domain.flow.state imports domain: name the room",
    ),
    (
        "domain/flow/state.py",
        "__import__('domain.history.as_of')",
        "domain.flow.state imports domain.history.as_of: against the direction of the domain",
    ),
    (
        "adapters/webhooks/wire.py",
        "import adapters\nadapters.store.file",
        "adapters.webhooks.wire imports adapters: name the room",
    ),
    (
        "adapters/webhooks/wire.py",
        "from adapters import *",
        "adapters.webhooks.wire imports adapters: name the room",
    ),
    (
        "adapters/webhooks/wire.py",
        "from importlib import import_module\nimport_module('adapters.store.file')",
        "adapters.webhooks.wire imports adapters.store.file: a sibling",
    ),
    (
        "adapters/webhooks/wire.py",
        "from importlib import import_module as load\nload('adapters.store.file')",
        "adapters.webhooks.wire imports load: it lives in no room yet",
    ),
    (
        "adapters/webhooks/wire.py",
        "from pkgutil import resolve_name\nresolve_name('adapters.store.file:File')",
        "adapters.webhooks.wire imports pkgutil: it lives in adapters.testing",
    ),
    (
        "adapters/webhooks/wire.py",
        "import importlib\nimportlib.import_module(name)",
        "adapters.webhooks.wire imports name: it lives in no room yet",
    ),
    (
        "adapters/webhooks/wire.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..store import file",
        "adapters.webhooks.wire imports adapters.store.file: a sibling",
    ),
    (
        "adapters/presentation/words.py",
        "from adapters.webhooks.wire import x",
        "adapters.presentation.words imports adapters.webhooks.wire: a sibling",
    ),
    (
        "adapters/webhooks/wire.py",
        "from adapters.store.file import File",
        "adapters.webhooks.wire imports adapters.store.file: a sibling",
    ),
    (
        "adapters/webhooks/wire.py",
        "from ..store.file import File",
        "adapters.webhooks.wire imports adapters.store.file: a sibling",
    ),
    (
        "adapters/webhooks/wire.py",
        "from adapters import store",
        "adapters.webhooks.wire imports adapters.store: a sibling",
    ),
    (
        "adapters/store/file.py",
        "from adapters.composition.gateway import serve",
        "adapters.store.file imports adapters.composition.gateway: only app may",
    ),
    (
        "adapters/composition/gateway.py",
        "import waitress",
        "adapters.composition.gateway imports waitress: it lives in adapters.server",
    ),
    (
        "adapters/store/file.py",
        "from app import main",
        "adapters.store.file imports app: nobody may",
    ),
    ("domain/flow/state.py", "from app import main", "domain.flow.state imports app: nobody may"),
    ("app.py", "from tests import test_it", "app imports tests.test_it: nobody may"),
    (
        "app.py",
        "import falcon",
        "app imports falcon: it lives in adapters.webhooks and adapters.pages",
    ),
    (
        "adapters/webhooks/wire.py",
        "from eventsourcing.persistence import Mapper",
        "adapters.webhooks.wire imports eventsourcing.persistence: it lives in adapters.store",
    ),
    (
        "adapters/webhooks/wire.py",
        "import waitress",
        "adapters.webhooks.wire imports waitress: it lives in adapters.server",
    ),
    (
        "adapters/store/file.py",
        "import hypothesis",
        "adapters.store.file imports hypothesis: it lives in adapters.testing",
    ),
    (
        "adapters/webhooks/wire.py",
        "import sqlite3",
        "adapters.webhooks.wire imports sqlite3: it lives in adapters.store",
    ),
    ("app.py", "import cattrs", "app imports cattrs: it lives in adapters"),
    ("app.py", "import requests", "app imports requests: it lives in no room yet"),
)


def _build(root: Path, files: Mapping[str, str]) -> House:
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return house(root)


def test_a_clean_house_breaks_no_law(tmp_path: Path) -> None:
    modules = _build(tmp_path, CLEAN)
    assert (breaches(modules), cycles(modules)) == ([], [])


@pytest.mark.parametrize(("name", "text", "breach"), BROKEN)
def test_a_breach_is_found(tmp_path: Path, name: str, text: str, breach: str) -> None:
    assert breaches(_build(tmp_path, {**CLEAN, name: text})) == [breach]


@pytest.mark.parametrize(
    "text",
    [
        "from domain.flow.evolve import evolve",
        "from domain.flow import evolve",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .evolve import evolve",
        "def late():\n    import domain.flow.evolve",
    ],
)
def test_a_cycle_is_found_however_it_is_closed(tmp_path: Path, text: str) -> None:
    modules = _build(tmp_path, {**CLEAN, "domain/flow/state.py": text})
    (circle,) = cycles(modules)
    assert circle in {
        "domain.flow.state imports domain.flow.evolve imports domain.flow.state",
        "domain.flow.evolve imports domain.flow.state imports domain.flow.evolve",
    }


def test_a_stranger_at_the_top_is_found() -> None:
    assert strangers(["domain/flow/state.py", "README.md", ".ci/run", "notes.txt", "src/x.py"]) == {
        "notes.txt",
        "src",
    }
