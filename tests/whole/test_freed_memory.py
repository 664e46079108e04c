"""What a process needed for a moment is not its own for ever."""

from __future__ import annotations

import subprocess
import sys

from tests.whole.gateway import ROOT

_SCRIPT = """
import hashlib
from pathlib import Path
from adapters.composition.gateway import _prepare
from adapters.composition.stores import settings_of

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

config = Path("examples/gateway.json5")
_prepare(config, settings_of(config), "sqlite:///:memory:")
before = resident()
for _ in range(3):
    hashlib.scrypt(b"secret", salt=b"salt", n=1 << 14, r=8, p=1)
print(resident() - before)
"""


def test_the_memory_of_fingerprints_goes_back_to_the_system() -> None:
    ran = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", _SCRIPT], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert int(ran.stdout) < 4_000_000


def test_a_gateway_does_not_load_what_only_the_pages_need() -> None:
    script = "import sys, app; print(sorted({'jinja2', 'adapters.pages'} & sys.modules.keys()))"
    ran = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n"
