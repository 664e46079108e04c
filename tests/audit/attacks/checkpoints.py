"""Attacks on the gateway's checkpoints: changed, removed, signed again by whoever."""

from __future__ import annotations

from pathlib import Path
from random import Random

from attrs import evolve

from tests.audit.attacks.events import changed_byte
from tests.audit.attacks.place import Place
from tests.audit.attacks.scene import HELD, Scene, audit, sign
from tests.cli.workbench import tools_over


def _notes(ledger: Path) -> list[str]:
    """Return the signed notes of a file: a text, an empty line, a signature, an empty line."""
    blocks = ledger.read_text().split("\n\n")
    pairs = zip(blocks[::2], blocks[1::2], strict=False)
    return [f"{text}\n\n{signature}\n\n" for text, signature in pairs]


def edited_checkpoint(scene: Scene, rng: Random) -> Place:
    """Flip a bit of a checkpoint."""
    notes = [note.encode() for note in _notes(scene.ledger)]
    number = rng.randrange(HELD)
    note = bytearray(notes[number])
    note[rng.randrange(len(note) - 2)] ^= 1 << rng.randrange(8)
    notes[number] = bytes(note)
    scene.ledger.write_bytes(b"".join(notes))
    return Place(checkpoint=number + 1)


def removed_checkpoint(scene: Scene, rng: Random) -> Place:
    """Remove a checkpoint."""
    notes = _notes(scene.ledger)
    number = rng.randrange(HELD)
    scene.ledger.write_text("".join(notes[:number] + notes[number + 1 :]))
    return Place(checkpoint=number + 1)


def removed_all_later_checkpoints(scene: Scene, rng: Random) -> Place:
    """Cut the checkpoints off within what the auditor holds."""
    notes = _notes(scene.ledger)
    left = rng.randrange(HELD)
    scene.ledger.write_text("".join(notes[:left]))
    return Place(checkpoint=left + 1)


def signed_with_another_key(scene: Scene, rng: Random) -> Place:
    """Change an event, and sign the new history with a key of the same name."""
    forged = scene.folder / "forged.key"
    audit(tools_over(), "keygen", forged, "--name", "flows.example.com")
    return _signed_again(scene, rng, forged)


def signed_with_the_stolen_key(scene: Scene, rng: Random) -> Place:
    """Change an event, and sign the new history with the gateway's own key."""
    return _signed_again(scene, rng, scene.folder / "signing.key")


def signed_on_by_the_gateway(scene: Scene, rng: Random) -> Place:
    """Change an event, and let the gateway sign its next checkpoint, if it does."""
    place = changed_byte(scene, rng)
    argv = ("--key", scene.folder / "signing.key", "--checkpoints", scene.ledger)
    audit(tools_over(), "checkpoint", "--database", scene.url, *argv)
    return place


def _signed_again(scene: Scene, rng: Random, key: Path) -> Place:
    place = changed_byte(scene, rng)
    scene.ledger.unlink()
    scene.ledger.with_name(f"{scene.ledger.name}.tiles").unlink(missing_ok=True)
    sign(scene, key, scene.ledger)
    first = sum(size < (place.position or 0) for size in scene.sizes) + 1
    return evolve(place, checkpoint=first)
