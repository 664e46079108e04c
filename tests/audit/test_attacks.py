"""Whoever can write the store's files attacks them, and an auditor who kept something finds out.

The auditor has a copy of the checkpoints that is older than the attack, and the public key. What
that copy covers cannot be changed unnoticed, whatever else is written again to fit: every attack
within it must be named by `verify`, and where an event contradicts another one or a derived row,
by `replay` as well.

What no checkpoint can catch, and so is not attacked here:

- Events after the last checkpoint that the auditor holds. Whoever writes both the database and the
  gateway's checkpoints may change them consistently, or take them back, until somebody has carried
  a checkpoint away that covers them. How much that is, is how often that is done.
- What was false when it was recorded: a gateway that lies, a secret that was stolen, a clock that
  was set wrong. A checkpoint says that the record is the one that was signed, not that it is true.
- A signing key in the attacker's hands from the beginning: each new checkpoint is then theirs.
  Those that were carried away before the theft still bind (`signed_with_the_stolen_key`).
- Two auditors who are shown two histories from the beginning, each with good checkpoints of its
  own. They find out when they compare their checkpoints, with `verify --held`.
- That something is missing which was never recorded, the log of refused calls included: it is
  bounded, is no part of the tree, and proves only that its own sums are right.
- The derived rows: nobody signs them. `replay` compares them with the events, so a change of them
  is found for as long as the events are there to compare them with.
- The request key of what was accepted without an event (ADR 44): nothing else tells of it.
- Snapshots that were deleted: they are a cache, and no answer changes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from shutil import rmtree
from typing import Final, TypeAlias

import pytest
from attrs import frozen

from tests.audit.attacks import checkpoints, derived, events
from tests.audit.attacks.place import Place, names
from tests.audit.attacks.scene import Findings, Scene, made

Edit: TypeAlias = Callable[[Scene, Random], Place]

FEW: Final = range(2)
MANY: Final = range(2, 52)
"""The places of an attack, by numbers that seed the choice of each."""


@frozen
class Attack:
    """How it edits, and by which findings each command must name the place; none if by none."""

    edit: Edit
    verify: frozenset[str] = frozenset()
    replay: frozenset[str] = frozenset()


CHANGED: Final = frozenset({"history_changed"})
CUT: Final = frozenset({"log_truncated"})
BROKEN: Final = frozenset({"gap", "no_beginning"})
FORKED: Final = frozenset({"checkpoint_forked"})
MISSING: Final = frozenset({"checkpoint_missing"})
ROW: Final = frozenset({"index_differs", "index_missing", "orphan_row"})
KEY: Final = frozenset({"key_differs", "key_missing", "orphan_row"})

ATTACKS: Final = (
    Attack(events.changed_byte, CHANGED),
    Attack(events.edited_metadata, CHANGED),
    Attack(events.deleted_from_the_middle, CHANGED, BROKEN),
    Attack(events.deleted_and_closed_up, CHANGED),
    Attack(events.deleted_last_of_a_stream, CHANGED),
    Attack(events.inserted, CHANGED),
    Attack(events.swapped_places, CHANGED),
    Attack(events.swapped_contents, CHANGED),
    Attack(events.renumbered_stream, CHANGED, BROKEN),
    Attack(events.renamed_stream, CHANGED, frozenset({"foreign_stream"})),
    Attack(events.truncated_tail, CUT),
    Attack(events.rolled_back, CHANGED | CUT),
    Attack(checkpoints.edited_checkpoint, MISSING),
    Attack(checkpoints.removed_checkpoint, MISSING),
    Attack(checkpoints.removed_all_later_checkpoints, MISSING),
    Attack(checkpoints.signed_with_another_key, CHANGED),
    Attack(checkpoints.signed_with_the_stolen_key, FORKED),
    Attack(checkpoints.signed_on_by_the_gateway, CHANGED),
    Attack(derived.edited_snapshot, replay=frozenset({"snapshot_differs"})),
    Attack(derived.edited_index_row, replay=ROW),
    Attack(derived.edited_request_key, replay=KEY),
)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A store with a life, and checkpoints in between."""
    return made(tmp_path_factory.mktemp("scene") / "honest", seed="scene", actions=60)


def is_named(findings: Findings, codes: frozenset[str], place: Place) -> bool:
    """Say whether a finding with one of the codes names the place."""
    return any(found["code"] in codes and names(found, place) for found in findings.found)


def strike(attack: Attack, number: int, scene: Scene, folder: Path) -> None:
    """Try an attack on a copy of the scene, at a place that the number chooses."""
    seed = f"{attack.edit.__name__} {number}"
    spoilt = scene.copied(folder / seed)
    place = attack.edit(spoilt, Random(seed))  # noqa: S311 - not for secrets
    for codes, command in ((attack.verify, spoilt.verify), (attack.replay, spoilt.replay)):
        if codes:
            found = command()
            told = f"seed {seed!r}: {place} is not named by any of {sorted(codes)} in {found}"
            assert (found.code, is_named(found, codes, place)) == (1, True), told
    rmtree(spoilt.folder)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.edit.__name__)
def test_an_attack_is_named(attack: Attack, scene: Scene, tmp_path: Path) -> None:
    for number in FEW:
        strike(attack, number, scene, tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.edit.__name__)
def test_an_attack_is_named_at_fifty_places(attack: Attack, scene: Scene, tmp_path: Path) -> None:
    for number in MANY:
        strike(attack, number, scene, tmp_path)


def test_a_flipped_bit_of_the_file_is_never_a_fault_of_ours(scene: Scene, tmp_path: Path) -> None:
    flip_bits(scene, range(12), tmp_path)


@pytest.mark.full
def test_neither_are_three_hundred(scene: Scene, tmp_path: Path) -> None:
    flip_bits(scene, range(12, 312), tmp_path)


def flip_bits(scene: Scene, numbers: range, folder: Path) -> None:
    """Flip a bit of the database's file, and see both commands end well, or in a sentence."""
    spoilt = scene.copied(folder / "bits")
    octets = spoilt.database.read_bytes()
    for number in numbers:
        rng, changed = Random(number), bytearray(octets)  # noqa: S311 - not for secrets
        changed[rng.randrange(100, len(changed))] ^= 1 << rng.randrange(8)
        spoilt.database.write_bytes(changed)
        runs = spoilt.run("verify", *spoilt.compared()), spoilt.run("replay")
        assert {ran.code for ran in runs} <= {0, 1, 2}, (number, runs)
        assert all(bool(ran.err) is (ran.code == 2) for ran in runs), (number, runs)


def test_untouched_stores_raise_no_alarm(tmp_path: Path) -> None:
    for number in range(3):
        live_untouched(number, tmp_path)


@pytest.mark.full
def test_five_hundred_untouched_stores_raise_no_alarm(tmp_path: Path) -> None:
    for number in range(3, 503):
        live_untouched(number, tmp_path)


def live_untouched(number: int, folder: Path) -> None:
    """Let a store live, and see that nothing is found."""
    seed = f"honest {number}"
    honest = made(folder / seed, seed=seed, actions=12)
    found = (honest.verify(), honest.replay())
    assert found == (Findings(0, ()), Findings(0, ())), seed
    rmtree(honest.folder)
