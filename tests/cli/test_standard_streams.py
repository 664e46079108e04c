"""The program where a standard stream is closed, broken or full when it starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_program import CONFIG, ROOT, SECRET

LOOK = """
import os
from adapters.cli import standard_streams

out, err = standard_streams()
file = os.open("next", os.O_RDWR | os.O_CREAT)
assert file > 2, file
err.write("lost")
err.flush()
try:
    out.write("x")
    out.flush()
except OSError:
    os.write(file, b"refused")
os._exit(0)
"""


def shell(script: str, *argv: str, folder: Path = ROOT) -> subprocess.CompletedProcess[bytes]:
    """Run a command, `"$@"` in a line of shell that says what its streams are."""
    command = ["/bin/sh", "-c", script, "sh", sys.executable, *argv]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(  # noqa: S603 - our own program
        command, cwd=folder, env=environment, capture_output=True, timeout=60, check=False
    )


@pytest.mark.parametrize("closed", ["0<&- 1>&- 2>&-", "1>&- 2>&-", "1>&-"])
def test_no_file_of_ours_becomes_a_standard_stream(tmp_path: Path, closed: str) -> None:
    ran = shell(f'exec "$@" {closed}', "-c", LOOK, folder=tmp_path)
    assert ran.returncode == 0
    assert (tmp_path / "next").read_bytes() == b"refused"


def test_results_that_go_nowhere_are_trouble(tmp_path: Path) -> None:
    config = tmp_path / "gateway.json5"
    config.write_text(CONFIG % SECRET, encoding="utf-8")
    ran = shell('exec "$@" >&-', "-m", "app", "check", "--config", str(config))
    assert (ran.returncode, ran.stderr) == (2, b"taskflow: Bad file descriptor\n")


@pytest.mark.parametrize("argv", [("serve", "--config", "/no/such/file"), ("serve",)])
@pytest.mark.parametrize("where", ["2>/dev/full", "2>&-"])
def test_a_complaint_that_goes_nowhere_changes_no_exit_code(
    where: str, argv: tuple[str, ...]
) -> None:
    ran = shell(f'exec "$@" {where}', "-m", "app", *argv)
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, b"", b"")
