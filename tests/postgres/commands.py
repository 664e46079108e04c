"""The command line, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.whole.gateway import ROOT


def command(*words: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run `taskflow` with some words."""
    return subprocess.run(  # noqa: S603 - our own program, with our own arguments
        [sys.executable, "-m", "app", *words],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
