"""Public tools that a long test runs, from npm and PyPI: installed once, into the user's cache."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

_INSTALL_SECONDS: Final = 1200.0


class NotInstallableError(Exception):
    """Why a package cannot be installed here."""


def cached(name: str) -> Path:
    """Return a folder of that name in the user's cache; it need not exist."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "taskflow-webhooks" / name


def npm_folder(*packages: str) -> Path:
    """Return a folder with some npm packages, each pinned, below `node_modules`."""
    folder = _folder_of("npm", packages)
    if not (folder / "complete").exists():
        install_npm(folder, *packages)
        (folder / "complete").touch()
    return folder


def python_folder(*packages: str) -> Path:
    """Return a virtual environment with some Python packages, each pinned."""
    folder = _folder_of("python", packages)
    if not (folder / "complete").exists():
        _run([sys.executable, "-m", "venv", str(folder)], folder.parent)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        _run([*pip, "--disable-pip-version-check", *packages], folder)
        (folder / "complete").touch()
    return folder


def install_npm(folder: Path, *packages: str, overrides: Mapping[str, str] | None = None) -> None:
    """Install npm packages below a folder, with versions in the place of what they name."""
    npm = shutil.which("npm")
    if npm is None:
        raise NotInstallableError("npm is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    own = {"private": True, "type": "module", "overrides": overrides or {}}
    (folder / "package.json").write_text(f"{json.dumps(own)}\n", encoding="utf-8")
    _run([npm, "install", "--no-audit", "--no-fund", *packages], folder)


def _folder_of(kind: str, packages: Sequence[str]) -> Path:
    return cached(f"{kind}-{sha256(' '.join(packages).encode()).hexdigest()[:12]}")


def _run(command: Sequence[str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(  # noqa: S603 - npm or pip, with our own arguments
            command, cwd=folder, check=True, capture_output=True, timeout=_INSTALL_SECONDS
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise NotInstallableError(f"{command[0]} cannot install {command[-1]}: {error}") from error
