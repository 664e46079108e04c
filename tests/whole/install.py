"""Installs what is needed beyond wheels: `python -m tests.whole.install [COMMAND...]`.

`make test-all` needs all of it, `make prove` only `cc`. Only what is missing, from Debian's
packages, and only as root; anybody else is told what to install by hand. Nothing here is needed by
`make test`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

from attrs import frozen

_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


@frozen
class Tool:
    """A command that a test runs, and the packages that bring it."""

    command: str
    packages: tuple[str, ...]

    @property
    def is_missing(self) -> bool:
        """Whether the command is not there."""
        return shutil.which(self.command, path=_PATH) is None


TOOLS = (
    Tool("cc", ("gcc", "libc6-dev")),  # disks that fail, and disks that are watched, are in C
    Tool("nginx", ("nginx-light",)),  # both stand before a gateway in test_behind_proxies
    Tool("haproxy", ("haproxy",)),
    Tool("pgbouncer", ("pgbouncer",)),  # stands before a database in test_pooler
    Tool("chromium", ("chromium",)),  # reads the auditor's pages
    Tool("systemd-analyze", ("systemd",)),  # judges the units of deploy/
    Tool("faketime", ("faketime",)),  # sets the clock of a running gateway
    Tool("curl", ("curl",)),  # these three are typed in the senders' pages
    Tool("jq", ("jq",)),
    Tool("openssl", ("openssl",)),
    Tool("prometheus-alertmanager", ("prometheus-alertmanager",)),  # a sender
)


def main(commands: Sequence[str]) -> int:
    """Install what is missing, of all or of some commands; return an exit code."""
    needed = [tool for tool in TOOLS if not commands or tool.command in commands]
    missing = [tool for tool in needed if tool.is_missing]
    if not missing:
        return _said("nothing to install: " + ", ".join(tool.command for tool in needed), 0)
    packages = [package for tool in missing for package in tool.packages]
    names = ", ".join(tool.command for tool in missing)
    if os.geteuid() != 0 or shutil.which("apt-get", path=_PATH) is None:
        need = f"{names} are needed: install {' '.join(packages)} by hand"
        return _said(f"{need} (this does it only as root, with apt-get)", 1)
    _said(f"installing {' '.join(packages)} for {names}", 0)
    if not _installed(packages):
        return _said(f"apt-get could not install {' '.join(packages)}", 1)
    still = [tool.command for tool in missing if tool.is_missing]
    return _said(f"still missing: {', '.join(still)}", 1) if still else 0


def _installed(packages: Sequence[str]) -> bool:
    """Install some packages; the lists of what there is are fetched only if they do not do."""
    install = ("install", "--yes", "--no-install-recommends", *packages)
    return _apt_get(*install) or (_apt_get("update") and _apt_get(*install))


def _apt_get(*arguments: str) -> bool:
    _said(f"apt-get {' '.join(arguments)}", 0)
    environ = {**os.environ, "PATH": _PATH, "DEBIAN_FRONTEND": "noninteractive"}
    command = ("apt-get", "--quiet", *arguments)
    return subprocess.run(command, env=environ, check=False).returncode == 0  # noqa: S603 - the table above is all that it is given


def _said(sentence: str, code: int) -> int:
    """Print a sentence and return an exit code."""
    print(sentence, flush=True)  # noqa: T201 - a program that says what it does
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
