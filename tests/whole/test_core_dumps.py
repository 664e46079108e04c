"""A gateway that crashes leaves its memory, which holds secrets, nowhere."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.whole.gateway import ROOT, RunningGateway

linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc and prctl are Linux's")
_HARD = resource.getrlimit(resource.RLIMIT_CORE)[1]


@contextmanager
def unlimited_cores() -> Iterator[None]:
    """Let the processes that are started meanwhile write cores as large as we may allow."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)


def dumps_core(process: subprocess.Popen[bytes]) -> bool:
    """Abort a process, and return whether the kernel says that it dumped its core."""
    os.kill(process.pid, signal.SIGABRT)
    ended = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    process.wait()
    assert ended is not None
    assert ended.si_status == signal.SIGABRT
    return ended.si_code == os.CLD_DUMPED


def soft_limit(pid: int) -> str:
    """Return how large a core a process may write, as the kernel tells."""
    lines = Path(f"/proc/{pid}/limits").read_text(encoding="ascii").splitlines()
    (line,) = (line for line in lines if line.startswith("Max core file size"))
    return line.removeprefix("Max core file size").split()[0]


@contextmanager
def gateway_in(folder: Path, own: Mapping[str, object] | None = None) -> Iterator[RunningGateway]:
    """Run a gateway whose cores would go to a folder, if nothing kept them back."""
    gateway = RunningGateway.of_contract(folder, own)
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    gateway.environment = {**gateway.environment, "PYTHONPATH": paths}
    gateway.working_folder = folder
    with unlimited_cores():
        gateway.start()
    try:
        yield gateway
    finally:
        gateway.kill()


@pytest.fixture
def a_machine_that_dumps(tmp_path: Path) -> None:
    """Skip where not even a process that nothing keeps back dumps its core."""
    with unlimited_cores():
        sleeper = subprocess.Popen(["/bin/sleep", "60"], cwd=tmp_path)
    if not dumps_core(sleeper):
        pytest.skip("this machine dumps no cores: its hard limit or its core_pattern is in the way")


@linux
@pytest.mark.usefixtures("a_machine_that_dumps")
def test_a_gateway_that_crashes_dumps_no_core(tmp_path: Path) -> None:
    with gateway_in(tmp_path) as gateway:
        assert soft_limit(gateway.pid) == "0"
        assert Path(f"/proc/{gateway.pid}/environ").stat().st_uid == 0
        assert not dumps_core(gateway.process)


@linux
@pytest.mark.usefixtures("a_machine_that_dumps")
def test_a_gateway_dumps_no_core_where_the_kernel_asks_no_limit(tmp_path: Path) -> None:
    """As where it hands cores to a program: its limit is lifted from outside."""
    with gateway_in(tmp_path) as gateway:
        resource.prlimit(gateway.pid, resource.RLIMIT_CORE, (_HARD, _HARD))
        assert not dumps_core(gateway.process)


@linux
@pytest.mark.usefixtures("a_machine_that_dumps")
def test_a_gateway_dumps_its_core_if_that_is_configured(tmp_path: Path) -> None:
    with gateway_in(tmp_path, {"server": {"coreDumps": True}}) as gateway:
        assert soft_limit(gateway.pid) != "0"
        assert dumps_core(gateway.process)


_DUMPABLE = """
import ctypes, runpy, sys, adapters.cli
def look(*_, **__):
    print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
    return 0
adapters.cli.run = look
runpy.run_module("app", run_name="__main__")
"""


@linux
def test_every_command_is_closed_before_it_does_anything() -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", _DUMPABLE], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")
