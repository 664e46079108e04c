"""The deliberate faults stay applicable while the code goes on."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.mutants.patches import Patch, PatchFailedError, all_patches, read_patch
from tests.whole.gateway import ROOT

PATCHES = all_patches()


@pytest.mark.parametrize("patch", PATCHES, ids=[patch.name for patch in PATCHES])
def test_a_fault_can_be_brought_in_and_still_runs(patch: Patch, tmp_path: Path) -> None:
    file = tmp_path / patch.target
    file.parent.mkdir(parents=True)
    shutil.copyfile(ROOT / patch.target, file)
    patch.apply(tmp_path)
    if file.suffix == ".py":
        compile(file.read_text(encoding="utf-8"), patch.target, "exec")


def test_every_fault_says_who_found_it_and_that_is_there() -> None:
    finders = {patch.name: patch.finder or "" for patch in PATCHES}
    missing = [
        name
        for name, finder in finders.items()
        if not (finder.startswith("the kit on ") or (ROOT / finder.partition("::")[0]).is_file())
    ]
    assert missing == []


def test_there_are_faults_enough_in_every_room() -> None:
    rooms = Counter(patch.expects for patch in PATCHES)
    assert sum(rooms.values()) >= 60
    assert min(rooms["core"], rooms["store"], rooms["wire"]) >= 15


def test_no_two_faults_are_the_same() -> None:
    faults = Counter(patch.text for patch in PATCHES)
    names = Counter(patch.name.partition("-")[2] for patch in PATCHES)
    assert [*(faults - Counter(set(faults))), *(names - Counter(set(names)))] == []


def test_a_fault_that_does_not_fit_the_code_is_told(tmp_path: Path) -> None:
    patch = PATCHES[0]
    (tmp_path / patch.target).parent.mkdir(parents=True)
    (tmp_path / patch.target).write_text("nothing of the kind\n", encoding="utf-8")
    with pytest.raises(PatchFailedError, match=r"patch does not apply"):
        patch.check(tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("--- a/x\n+++ b/x\n", "expected two comments"),
        ("# expects: core\n# fault: f\n--- a/x\n+++ b/y\n", "one file"),
        ("# expects: core\n# fault: f\n--- a/x\n+++ b/x\n--- a/y\n+++ b/y\n", "one file"),
        ("# expects: moon\n# fault: f\n--- a/x\n+++ b/x\n", "expects moon"),
    ],
)
def test_a_patch_that_says_too_little_is_refused(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "000-odd.patch"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PatchFailedError, match=told):
        read_patch(file)
