"""The verifier's modules, joined into the one file that a stranger reads and runs."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from adapters.audit.pack.joining import PARTS, joined_verifier
from adapters.audit.pack.verifier import report
from tests.audit.packs import signed_log, unpacked

ROOT = Path(__file__).parents[2]


def names(tree: ast.Module) -> Iterator[str]:
    """Return what a module defines or imports at its top, each time that it does."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield node.name
        elif not isinstance(node, ast.If | ast.Expr):
            yield from (n.id for n in ast.walk(node) if isinstance(n, ast.Name) and _is_set(n))
            yield from (n.asname or n.name for n in ast.walk(node) if isinstance(n, ast.alias))


def _is_set(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def test_no_module_defines_what_another_one_defines() -> None:
    counted = Counter(names(ast.parse(joined_verifier())))
    assert [name for name, count in counted.items() if count > 1] == []


def test_every_module_is_part_of_the_file() -> None:
    folder = Path(report.__file__).parent
    assert {file.stem for file in folder.glob("*.py")} == {"__init__", *PARTS}


def test_the_file_imports_nothing_of_ours() -> None:
    modules = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(ast.parse(joined_verifier()))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    others = {module.split(".")[0] for module in modules} - sys.stdlib_module_names
    assert others == {"cryptography"}


def test_the_file_is_the_same_in_every_process() -> None:
    code = "from adapters.audit.pack.joining import joined_verifier as j; import sys"
    for seed in ("1", "2"):
        made = subprocess.run(  # noqa: S603 - our own code
            [sys.executable, "-c", f"{code}; sys.stdout.buffer.write(j())"],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        )
        assert sha256(made.stdout).digest() == sha256(joined_verifier()).digest()


def test_the_modules_of_a_release_say_the_same_as_the_file(tmp_path: Path) -> None:
    with signed_log(tmp_path) as signed:
        folder = unpacked(signed.pack(), tmp_path / "pack")
    key = ("--key", str(signed.signer.verifier))
    file = [sys.executable, "-I", "-S", "verify.py", *key]
    modules = [sys.executable, "-S", "-m", report.__name__, str(folder), *key]
    said = {
        subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False).stdout  # noqa: S603 - the verifier under test
        for command, cwd in ((file, folder), (modules, ROOT))
    }
    assert len(said) == 1
    assert "NOT CHECKED: the package cryptography is not installed" in said.pop()
