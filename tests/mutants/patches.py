"""The faults: small unified diffs, each with a few lines ahead of it.

# expects: core | store | postgres | wire     the tests that should find it
# fault: one sentence of what is wrong then
# found by: who found it last, and is asked first (`python -m tests.mutants --write`)
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final, Literal, TypeAlias, cast, get_args

from attrs import frozen

FOLDER: Final = Path(__file__).with_name("patches")
_AHEAD: Final = re.compile(
    r"# expects: (\w+)\n# fault: (.+)\n(?:# found by: (.+)\n)?"
    r"(?:(?:diff|index) .+\n)*--- a/(\S+)\n\+\+\+ b/(\S+)\n"
)
_GIT: Final = ("git", "apply", "--whitespace=nowarn")

Room: TypeAlias = Literal["core", "store", "postgres", "wire"]


class PatchFailedError(Exception):
    """A patch that says too little, or does not fit the code any more."""


@frozen
class Patch:
    """One fault: in which file, and whose tests should find it."""

    name: str
    expects: Room
    fault: str
    finder: str | None
    target: str
    text: str

    def check(self, tree: Path) -> None:
        """Check that it can be applied to a tree; raises PatchFailedError."""
        self._git(tree, "--check")

    def apply(self, tree: Path) -> None:
        """Bring the fault into a tree; raises PatchFailedError."""
        self._git(tree)

    def revert(self, tree: Path) -> None:
        """Take the fault out of a tree again; raises PatchFailedError."""
        self._git(tree, "--reverse")

    def _git(self, tree: Path, *options: str) -> None:
        done = subprocess.run(  # noqa: S603 - our own patches
            [*_GIT, *options, "-"],
            cwd=tree,
            input=self.text,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise PatchFailedError(f"{self.name}: {done.stderr.strip()}")


def all_patches() -> list[Patch]:
    """Return all faults, in the order of their numbers."""
    return [read_patch(file) for file in sorted(FOLDER.glob("*.patch"))]


def read_patch(file: Path) -> Patch:
    """Return the fault that a file holds.

    Raises:
        PatchFailedError: if it does not say what it must, or is about more than one file.
    """
    text = file.read_text(encoding="utf-8")
    ahead = _AHEAD.match(text)
    if ahead is None or ahead[4] != ahead[5] or text.count("\n+++ ") != 1:
        raise PatchFailedError(f"{file.name}: expected two comments, then the diff of one file")
    expects, fault, finder, target, _ = ahead.groups()
    if expects not in get_args(Room):
        raise PatchFailedError(f"{file.name}: expects {expects}, not one of {get_args(Room)}")
    return Patch(file.stem, cast("Room", expects), fault, finder, target, text)


def keep_finder(patch: Patch, finder: str) -> None:
    """Write into a fault's file who found it."""
    expects, fault, *rest = patch.text.splitlines(keepends=True)
    diff = rest[patch.finder is not None :]
    text = "".join((expects, fault, f"# found by: {finder}\n", *diff))
    (FOLDER / f"{patch.name}.patch").write_text(text, encoding="utf-8")
