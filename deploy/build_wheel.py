"""Builds the wheel: our modules below one import name, so that they fit beside any `domain/`.

What the repository has as `domain`, `adapters` and `app` is `taskflow_webhooks.domain` and so on
for those who install it (ADR 64).
"""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE: Final = "taskflow_webhooks"
OWN_NAME: Final = re.compile(r"(?<![\w./])(?:domain|adapters)(?=\.[a-z]| import )")
"""Where a text names a module of ours: an import, a dotted name in a string or a docstring."""


class OneImportName(BuildHookInterface[Any]):
    """Puts each file into the package, and the package's name before each name of a module.

    An editable install has the modules as they are, and the console script where a wheel has it.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the files that the wheel takes instead of ours."""
        self._folder = TemporaryDirectory()
        package = Path(self._folder.name)
        if version == "editable":
            (package / "app.py").write_text("from app import main as main\n", encoding="utf-8")
            build_data["force_include_editable"][str(package)] = PACKAGE
            return
        (package / "__init__.py").write_text(f'"""{self.metadata.core.description}"""\n', "utf-8")
        (package / "py.typed").touch()
        for file in self._sources():
            target = package / file.relative_to(self.root)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_renamed(file))
        build_data["force_include"][str(package)] = PACKAGE

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - the interface
        """Remove the files that were written."""
        self._folder.cleanup()

    def _sources(self) -> list[Path]:
        root = Path(self.root)
        found = [root / "app.py", *(root / "domain").rglob("*"), *(root / "adapters").rglob("*")]
        return [file for file in found if file.is_file() and file.suffix != ".pyc"]


def _renamed(file: Path) -> bytes:
    if file.suffix != ".py":
        return file.read_bytes()
    return OWN_NAME.sub(rf"{PACKAGE}.\g<0>", file.read_text(encoding="utf-8")).encode()
