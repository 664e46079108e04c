"""Who finds a fault: who found it last, the kit's state machine, the tests of the room it is in."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from attrs import frozen

from tests.mutants.patches import Patch, Room

_LEFT_OUT: Final = shutil.ignore_patterns("__pycache__", ".*", "var")
LIMIT_SECONDS: Final = 300.0
STEPS: Final[Mapping[Room, tuple[str, ...]]] = {
    "core": ("pure", "memory", "exhaustive", "tests/core", "tests/kit"),
    "store": ("sqlite", "tests/store"),
    "postgres": ("tests/postgres",),
    "wire": (
        *(
            "tests/webhooks",
            "tests/settings",
            "tests/server",
            "tests/schedule",
            "tests/metrics",
            "tests/shared_limits",
        ),
        *("tests/whole/test_metrics.py", "tests/whole/test_explain.py", "live"),
    ),
}
"""Who looks, by the room of the fault: what `hunt` drives the kit on, or the tests of a folder."""
_KIT: Final = "the kit on "
_FAILED: Final = re.compile(r"^(?:FAILED|ERROR) (\S.*?)(?: - .*)?$", re.MULTILINE)
_NOT_FAILED: Final = frozenset({0, 5})
"""All passed, or none was to run."""
_NO_SUCH_TEST: Final = 4
_CLOCK: Final = 1_000_000_000


@frozen
class Finding:
    """What found a fault: a test by its name, or the kit's machine by the steps that show it."""

    by: str
    steps: tuple[str, ...] = ()
    line: str = ""

    @property
    def is_by_the_kit(self) -> bool:
        """Whether the kit found it, and not a test of a room."""
        return bool(self.steps)


@frozen
class Copy:
    """A copy of the tree, in which faults are brought in one after the other."""

    root: Path

    @classmethod
    def of(cls, tree: Path, folder: Path) -> Copy:
        """Copy a tree into a folder."""
        return cls(shutil.copytree(tree, folder, ignore=_LEFT_OUT))

    def find(self, patch: Patch, moment: int) -> Finding | None:
        """Bring a fault in, see who finds it, and take it out again.

        `moment` differs from that of every other fault: bytecode that was compiled before is told
        by the whole second and the size of its source.
        """
        patch.apply(self.root)
        self._touch(patch, moment * 2)
        try:
            return next(filter(None, self._attempts(patch.expects, patch.finder)), None)
        finally:
            patch.revert(self.root)
            self._touch(patch, moment * 2 + 1)

    def sound(self, room: Room) -> Finding | None:
        """Return what finds a fault where none was brought in: nothing, unless the tree has one."""
        return next(filter(None, self._attempts(room)), None)

    def _attempts(self, room: Room, finder: str | None = None) -> Iterator[Finding | None]:
        first = (finder.removeprefix(_KIT),) if finder else ()
        for step in first + STEPS[room]:
            yield self._test(step) if step.startswith("tests/") else self._hunt(step)

    def _hunt(self, driver: str) -> Finding | None:
        done = self._run("tests.mutants.hunt", driver)
        if done is None:
            return Finding(_KIT + driver, line="it hangs")
        if done.returncode:
            return Finding(_KIT + driver, line=_last_line(done.stderr))
        found = json.loads(done.stdout)
        return found and Finding(_KIT + driver, tuple(found["steps"]), found["line"])

    def _test(self, tests: str) -> Finding | None:
        options = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-seed=1")
        done = self._run("pytest", *options, tests)
        if done is None:
            return Finding(tests, line="it hangs")
        if done.returncode in _NOT_FAILED or (done.returncode == _NO_SUCH_TEST and "::" in tests):
            return None
        named = _FAILED.search(done.stdout)
        if named:
            return Finding(named[1])
        return Finding(tests, line=_last_line(done.stdout + done.stderr))

    def _run(self, module: str, *arguments: str) -> subprocess.CompletedProcess[str] | None:
        """Run a module in the copy; None if it takes too long."""
        process = subprocess.Popen(  # noqa: S603 - our own tests
            [sys.executable, "-m", module, *arguments],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(self.root)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            out, err = process.communicate(timeout=LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.communicate()
            return None
        return subprocess.CompletedProcess(module, process.returncode, out, err)

    def _touch(self, patch: Patch, moment: int) -> None:
        seconds = _CLOCK + moment * 2
        os.utime(self.root / patch.target, (seconds, seconds))


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["nothing was said"])[-1]


@frozen
class Outcome:
    """A fault, who found it if anybody did, and how long that took."""

    patch: Patch
    finding: Finding | None
    seconds: float


def outcome(copy: Copy, patch: Patch, moment: int) -> Outcome:
    """Return what becomes of a fault in a copy."""
    started = time.monotonic()
    finding = copy.find(patch, moment)
    return Outcome(patch, finding, round(time.monotonic() - started, 1))
