"""Joins the verifier's modules into the one file that stands in every pack, and runs alone."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from adapters.audit.pack import verifier

PARTS: Final = ("forms", "pack_files", "manifest", "events", "keys", "notes", "tree", "report")
"""The modules in an order in which each needs only those before it."""

_FOLDER: Final = Path(verifier.__file__).parent


def joined_verifier() -> bytes:
    """Return the file; it depends on the modules' text alone.

    What one module takes from another is there in the file: no name is defined twice.
    """
    imports: dict[str, set[str]] = defaultdict(set)
    bodies = [_body(part, imports) for part in PARTS]
    head = f'"""{verifier.__doc__}"""\n\nfrom __future__ import annotations\n\n'
    return "".join([head, *_lines(imports), *bodies]).encode()


def _body(part: str, imports: dict[str, set[str]]) -> str:
    """Return the text behind a module's imports, with its docstring as a comment before it."""
    text = (_FOLDER / f"{part}.py").read_text("utf-8")
    tree = ast.parse(text)
    end = 0
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            end = node.end_lineno or 0
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            if module != "__future__" and not module.startswith(verifier.__name__):
                imports[module].update(map(ast.unparse, node.names))
    rest = "\n".join(text.splitlines()[end:]).strip("\n")
    return f"\n\n# {ast.get_docstring(tree)}\n\n{rest}\n"


def _lines(imports: dict[str, set[str]]) -> Iterator[str]:
    for name in sorted(imports.pop("")):
        yield f"import {name}\n"
    for module in sorted(imports):
        yield f"from {module} import {', '.join(sorted(imports[module]))}\n"
