"""Whether a file that somebody names is one of ours, by this name or another."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

OwnFiles: TypeAlias = Mapping[Path, str]
"""Files that are ours, there or not, and what each of them is."""


def found_in(own: OwnFiles, path: Path) -> str | None:
    """Return what of ours a path is, if it is: by its name, or as a link of either kind."""
    return next((what for one, what in own.items() if _is_same(one, path)), None)


def _is_same(one: Path, other: Path) -> bool:
    if os.path.realpath(one) == os.path.realpath(other):
        return True
    try:
        return one.samefile(other)
    except OSError:
        return False
