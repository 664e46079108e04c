"""Random histories to the reference and to us, in lockstep: no difference that is not declared.

The tester is not part of this repository: it stands beside the checkout, or where `DIFFER` says.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from ast import literal_eval
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tests.whole.gateway import ROOT, RunningGateway
from tests.whole.packages import NotInstallableError
from tests.whole.reference import Reference, installed

pytestmark = pytest.mark.full

REQUESTS: Final = 20_000
MINUTES: Final = 15
DIFFER: Final = Path(os.environ.get("DIFFER") or ROOT.parent / "shared" / "reference" / "differ.py")

DECLARED: Final[Mapping[str, str]] = {
    "blanks around the body that JSON does not know.*": "D4: no blanks but those of JSON",
    r"status \[.*: 200 vs 404/.*\]": "D6: the reference has pages of its own at other paths",
    r"status \[http: HTTP/1\.0 chunked: served vs 400/bad_request\]": "D20",
    r"interim \[100\] vs \[\] .*": "D21: no 100 Continue for nothing",
    r"connection: .*": "whether a connection is kept is not compared",
}
"""Kinds that the tester does not know to be declared, as patterns, and why each is no fault."""
OURS: Final = (
    *("controllerId", "currentStep", "correlationKey", "updatedSince"),
    *("until", "onTimeout", "resumeLink", "early"),
)
"""Fields that actions take of late, where the reference knows none of that name."""


@pytest.fixture
def configured(tmp_path: Path) -> Path:
    """A folder with the configurations of both."""
    if not DIFFER.is_file():
        pytest.skip(f"the tester is not here: {DIFFER}")
    _differ("--write-config", str(tmp_path))
    for file in tmp_path.iterdir():
        file.chmod(0o600)
    return tmp_path


@pytest.fixture
def reference(configured: Path) -> Iterator[Reference]:
    """The reference, running."""
    try:
        installation = installed()
    except NotInstallableError as reason:
        pytest.skip(f"the reference cannot be installed here: {reason}")
    with Reference(installation, configured, configured / "openclaw.json") as running:
        yield running


def test_no_difference_from_the_reference_is_undeclared(
    configured: Path, reference: Reference
) -> None:
    report = configured / "report.json"
    with RunningGateway(configured, configured / "ours.json5") as gateway:
        amount = ("--requests", str(REQUESTS), "--minutes", str(MINUTES), "--seed", "20261127")
        options = ("--only", "random", "--no-shrink", "--json", str(report))
        _differ(reference.url, gateway.url, *amount, *options)
    found = json.loads(report.read_text("utf-8"))
    assert found["compared"] >= REQUESTS, "it took too long"
    assert [kind for kind in found["kinds"] if not _is_declared(kind)] == []


def _is_declared(kind: Mapping[str, Any]) -> bool:
    if kind["kind"].startswith("order of tasks"):
        return all(map(_is_by_age, kind["differs"]))
    if kind["kind"].startswith("invalid_request ") and "__proto__" in kind["answers"][1]:
        return True  # D16: that key is dropped there, and unknown here
    unknown = re.search(r"Unrecognized keys?: (.*)\"}", kind["answers"][0])
    if unknown and not set(re.findall(r"\w+", unknown[1])).isdisjoint(OURS):
        return True
    if kind["kind"].startswith("shape of a refusal "):
        return _says_why(*kind["answers"])
    return any(re.fullmatch(pattern, kind["kind"], re.DOTALL) for pattern in DECLARED)


def _says_why(theirs: str, ours: str) -> bool:
    """Say whether a refusal goes on, behind the recorded sentence, with what is wrong (ADR 43)."""
    is_one = '"code":"invalid_json"' in ours or '"code":"unsupported_media_type"' in ours
    return is_one and f'"error":"{theirs.partition(" ")[2]}: ' in ours


def _is_by_age(tasks: str) -> bool:
    """Say whether tasks are listed by age: by our clock and by theirs that may be two orders."""
    ages = [created_at for _, created_at in literal_eval(tasks)]
    return ages == sorted(ages, reverse=True)


def _differ(*arguments: str) -> None:
    subprocess.run([sys.executable, DIFFER, *arguments], check=True, timeout=60 * (MINUTES + 5))  # noqa: S603 - the tester, with our own arguments
